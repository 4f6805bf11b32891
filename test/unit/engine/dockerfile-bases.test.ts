import { listBases } from '../../../src/engine/dockerfile-bases.ts';

test('images that stages begin with or copy from; stages, scratch and what is not known are none', () => {
  const text = `# syntax=docker/dockerfile:1
ARG REGISTRY=registry.example:5000
ARG BASE=\${REGISTRY}/java:21 UNKNOWN
ARG TAG="1.2"
FROM --platform=linux/amd64 $BASE AS Build
ARG TAG=9
COPY --from=tools:\${TAG} /a /b
FROM scratch
COPY --chown=1:1 --from=build \\
  /x /y
COPY --from=0 /x /z
FROM \${UNKNOWN}
FROM \${OTHER:-alpine}
# FROM comment
from build
`;
  expect(listBases(text, {})).toEqual(['registry.example:5000/java:21', 'tools:1.2', 'alpine']);
  expect(listBases(text, { BASE: 'mine', UNKNOWN: 'known' })).toEqual(['mine', 'tools:1.2', 'known', 'alpine']);
});
