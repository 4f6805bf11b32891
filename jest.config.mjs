const project = (name) => ({
  displayName: name,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: { '\\.ts$': '<rootDir>/scripts/jest-esbuild.mjs' },
  extensionsToTreatAsEsm: ['.ts'],
});
export default { projects: ['unit', 'native', 'java', 'engine', 'e2e', 'systems'].map(project), maxWorkers: 2 };
