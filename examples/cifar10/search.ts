/**
 * Searches the learning rate of an experiment. The finder says in seconds where to look, once per
 * seed; candidates around the median of that are trained, and their validation loss chooses.
 *
 *     npm run cifar10:search -- --experiment selu --seeds 1,2 --epochs 15
 */

import { findLearningRate, seed, setDevice, setThreads } from 'gradloom';
import type { datasets, RateCurve, Sequential } from 'gradloom';

import { median } from './comparison.js';
import { netOf, recipeOf } from './experiments.js';
import type { Recipe } from './experiments.js';
import { loadData } from './loading.js';
import { options } from './options.js';
import type { Values } from './options.js';

/** What each candidate is of the rate in the middle. */
const factors = [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4];
/** Epochs of a candidate unless told otherwise. */
const fewEpochs = 15;

/** The best epoch of a candidate: the one of lowest validation loss. */
interface Outcome {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
}

class Search {
  readonly #batchSize: number;

  constructor(
    readonly recipe: Recipe,
    readonly values: Values,
    readonly data: datasets.Cifar10Datasets,
  ) {
    this.#batchSize = values.batchSize ?? recipe.batchSize;
  }

  /** What the finder suggests: the median over the seeds, a peak where a schedule leads to it. */
  async suggestion(): Promise<number> {
    const { x, y } = this.data.train;
    const found: number[] = [];
    for (const of of this.values.seeds) {
      const model = this.#net(1, of);
      const curve = await findLearningRate(model, x, y, { batchSize: this.#batchSize });
      if (found.length === 0) console.log(`${curve.toString()}\n`);
      found.push(this.#rateOf(curve));
    }
    const middle = median(found)!;
    console.log(
      `finder: ${found.map(showRate).join(', ')}; median ${showRate(middle)}; ` +
        `experiments.ts has ${showRate(this.recipe.learningRate)}\n`,
    );
    return middle;
  }

  /** Trains with a rate from one seed; null when no validation loss is finite. */
  async candidate(rate: number, of: number): Promise<Outcome | null> {
    const { recipe, values, data } = this;
    const { history } = await this.#net(rate, of).fit(data.train.x, data.train.y, {
      batchSize: this.#batchSize,
      epochs: values.epochs ?? Math.min(fewEpochs, recipe.epochs),
      validationData: data.validation,
      verbose: 'silent',
      callbacks: [recipe.schedule(rate)],
    });
    const losses = history['val_loss']!;
    const epoch = losses.indexOf(Math.min(...losses.filter(Number.isFinite)));
    if (epoch < 0) return null;
    return { epoch: epoch + 1, loss: losses[epoch]!, accuracy: history['val_accuracy']![epoch]! };
  }

  #net(rate: number, of: number): Sequential {
    seed(of);
    return netOf(this.recipe, rate, this.data.train.x);
  }

  #rateOf({ highest, suggestion }: RateCurve): number {
    return this.recipe.oneCycle ? highest : suggestion;
  }
}

const showRate = (rate: number): string => rate.toExponential(1).replace('.0', '');
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Trains the candidates and prints a row for each: means over the seeds. */
async function compare(search: Search, middle: number): Promise<void> {
  console.log('rate     best epoch   val_loss   val_accuracy there');
  let best = { rate: NaN, loss: Infinity };
  for (const factor of factors) {
    const rate = Number((factor * middle).toPrecision(2));
    const outcomes: (Outcome | null)[] = [];
    for (const of of search.values.seeds) outcomes.push(await search.candidate(rate, of));
    const finite = outcomes.filter((each) => each !== null);
    if (finite.length < outcomes.length) {
      console.log(`${showRate(rate).padEnd(9)}  diverges`);
      continue;
    }
    const loss = mean(finite.map((each) => each.loss));
    if (loss < best.loss) best = { rate, loss };
    console.log(
      showRate(rate).padEnd(9) +
        mean(finite.map((each) => each.epoch))
          .toFixed(0)
          .padStart(10) +
        loss.toFixed(4).padStart(11) +
        mean(finite.map((each) => each.accuracy))
          .toFixed(4)
          .padStart(21),
    );
  }
  console.log(`lowest validation loss: ${showRate(best.rate)}`);
}

const { values, help } = options(process.argv.slice(2));
if (help) process.stdout.write(help);
else {
  if (values.device) setDevice(values.device);
  if (values.threads) setThreads(values.threads);
  const data = await loadData(values.limit);
  for (const experiment of values.experiments) {
    // Asked again, a net is not trained.
    if (typeof experiment.recipe === 'string') continue;
    console.log(`\n${experiment.name}: ${experiment.about}`);
    const search = new Search(recipeOf(experiment), values, data);
    const found = await search.suggestion();
    await compare(search, values.learningRate ?? found);
  }
}
