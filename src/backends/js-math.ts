/** Functions of the formulas' language that Math lacks or defines otherwise than C and NumPy. */

/** Error function, Chebyshev rational forms of W. J. Cody (Math. Comp. 23, 1969, 631-637). */
export function erf(x: number): number {
  const distance = Math.abs(x);
  if (distance <= 0.46875) return erfNear(x);
  const value = distance <= 4 ? 1 - erfcMiddle(distance) : 1 - erfcFar(distance);
  return x < 0 ? -value : value; // NaN compares false everywhere and comes out as NaN
}

/** |x| ≤ 0.46875: x·P(x²)/Q(x²). */
function erfNear(x: number): number {
  const z = x * x;
  let above = 0.185777706184603153 * z + 3.1611237438705656;
  above = above * z + 113.864154151050156;
  above = above * z + 377.485237685302021;
  above = above * z + 3209.37758913846947;
  let below = z + 23.6012909523441209;
  below = below * z + 244.024637934444173;
  below = below * z + 1282.61652607737228;
  below = below * z + 2844.23683343917062;
  return (x * above) / below;
}

/** erfc for 0.46875 ≤ x ≤ 4: exp(−x²)·P(x)/Q(x). */
function erfcMiddle(x: number): number {
  let above = 2.15311535474403846e-8 * x + 0.564188496988670089;
  above = above * x + 8.88314979438837594;
  above = above * x + 66.1191906371416295;
  above = above * x + 298.635138197400131;
  above = above * x + 881.95222124176909;
  above = above * x + 1712.04761263407058;
  above = above * x + 2051.07837782607147;
  above = above * x + 1230.33935479799725;
  let below = x + 15.7449261107098347;
  below = below * x + 117.693950891312499;
  below = below * x + 537.181101862009858;
  below = below * x + 1621.38957456669019;
  below = below * x + 3290.79923573345963;
  below = below * x + 4362.61909014324716;
  below = below * x + 3439.36767414372164;
  below = below * x + 1230.33935480374942;
  return (Math.exp(-x * x) * above) / below;
}

/** erfc for x ≥ 4: exp(−x²)/x·(1/√π − z·P(z)/Q(z)), z = 1/x². */
function erfcFar(x: number): number {
  if (x > 6) return 0; // below half an ulp of 1
  const z = 1 / (x * x);
  let above = 0.0163153871373020978 * z + 0.305326634961232344;
  above = above * z + 0.360344899949804439;
  above = above * z + 0.125781726111229246;
  above = above * z + 0.0160837851487422766;
  above = above * z + 6.58749161529837803e-4;
  let below = z + 2.56852019228982242;
  below = below * z + 1.87295284992346725;
  below = below * z + 0.527905102951428412;
  below = below * z + 0.0605183413124413191;
  below = below * z + 0.00233520497626869185;
  return (Math.exp(-x * x) / x) * (0.56418958354775629 - (z * above) / below);
}

/** 1 / (1 + e^−x); e^−|x| does not overflow, so that tiny results are right. */
export function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return (x < 0 ? small : 1) / (1 + small);
}

/** log(1 + e^x) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Rounds to the nearest integer, halves to the even one. */
export function round(x: number): number {
  // Adding 2^52 leaves no bits for a fraction; what is larger has none already.
  if (!(Math.abs(x) < 2 ** 52)) return x;
  const rounded = x < 0 ? x - 2 ** 52 + 2 ** 52 : x + 2 ** 52 - 2 ** 52;
  return rounded === 0 ? x * 0 : rounded; // a zero of x's sign
}

/** a^b as C has it: 1 to any power is 1, also NaN, and (−1)^±∞ is 1. */
export function pow(a: number, b: number): number {
  if (a === 1 || (a === -1 && (b === Infinity || b === -Infinity))) return 1;
  return Math.pow(a, b);
}

/** Remainder with the sign of the divisor, as in Python; NaN for a zero divisor. */
export function mod(a: number, b: number): number {
  const remainder = a % b;
  if (remainder === 0) return b < 0 ? -0 : 0;
  return remainder < 0 !== b < 0 ? remainder + b : remainder;
}

/** Largest integer n with n·b ≤ a (b > 0), consistent with {@link mod} as in Python. */
export function floorDiv(a: number, b: number): number {
  if (b === 0) return a / b;
  const quotient = (a - mod(a, b)) / b; // an integer but for rounding
  if (quotient === 0) return a < 0 !== b < 0 ? -0 : 0;
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}

/** {@link mod} of integers; 0 for a zero divisor. */
export function modInteger(a: number, b: number): number {
  return b === 0 ? 0 : a - Math.floor(a / b) * b;
}

/** {@link floorDiv} of integers; 0 for a zero divisor. */
export function floorDivInteger(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b);
}
