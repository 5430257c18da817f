/** The `js` backend under the conformance suite. */

import { createJsBackend } from '../src/backends/js.js';
import { describeBackend } from './backend-conformance.js';

describeBackend('js', createJsBackend);
