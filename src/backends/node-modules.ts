/**
 * Modules of Node.js that few programs need, loaded when they are first asked for. An import of one
 * asks for everything that it exports, which Node.js itself loads on demand: `node:fs` brings
 * streams along, `node:crypto` all of its algorithms, and programs would wait for them.
 */

import type * as crypto from 'node:crypto';
import type * as fs from 'node:fs';
import { createRequire } from 'node:module';
import type * as v8 from 'node:v8';

const require = createRequire(import.meta.url);

export const nodeCrypto = (): typeof crypto => require('node:crypto') as typeof crypto;
export const nodeFs = (): typeof fs => require('node:fs') as typeof fs;
export const nodeV8 = (): typeof v8 => require('node:v8') as typeof v8;
