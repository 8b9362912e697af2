import type { Reporter, TestCase } from 'vitest/node';

/** Prints why a test was tried again that passed in the end; Vitest itself prints only that it was. */
export class SaysWhyRetried implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state !== 'passed') return;
    for (const { message, stacks } of errors) {
      const at = stacks?.map(({ file, line }) => `${file}:${line}`).find((place) => place.includes('.test.ts'));
      console.log(`Tried again: ${test.fullName}\n  ${message.slice(0, 1500)}\n  ${at ?? ''}`);
    }
  }
}
