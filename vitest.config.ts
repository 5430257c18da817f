import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true }, // `gradloom` is src/index.ts
  test: {
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    // Native memory and garbage collection are asserted on: give every file its own process.
    pool: 'forks',
    globalSetup: 'test/global-setup.ts',
    execArgv: ['--expose-gc'],
    testTimeout: 600_000, // what hangs, not what is slow: machines differ, and virtual ones pause
  },
});
