/** The systems that crac-build is for: an example each, and what is asked of it once it is restored. */
import { join } from 'node:path';
import { ROOT } from '../e2e/support/build-example.ts';

export type JavaVersion = 17 | 21 | 25;

export interface System {
  readonly name: string;
  /** Folder below examples/. */
  readonly example: string;
  /** What makes the app; the example's own `build`, or that for all made with Maven. */
  readonly build: readonly string[];
  readonly config?: string;
  /** Where target/tomcat of the config is. */
  readonly folder?: string;
  /** Another jar than that of the config, relative to the example. */
  readonly jar?: string;
  /** More flags of `crac-build build`. */
  readonly flags?: readonly string[];
  readonly jdks: readonly JavaVersion[];
  /** What of the environment and of `-D` the restored app tells at /environment. */
  readonly tellsEnvironment?: boolean;
  readonly health: string;
  /** Asked of each restored container. */
  readonly paths: readonly { readonly path: string; readonly contains: string }[];
  /** A new book is made, read and deleted. */
  readonly isShop?: boolean;
  /** Visits are counted in a session. */
  readonly hasSessions?: boolean;
  /** Where a scheduler tells how often it has run. */
  readonly ticks?: string;
  /** Exit codes of a graceful end at SIGTERM. */
  readonly stopsWith: readonly number[];
}

const EXAMPLES = join(ROOT, 'examples');
const maven = (example: string, ...more: string[]) => [join(EXAMPLES, 'build'), example, ...more];
const BOOKS = [
  { path: '/books?page=0&size=5', contains: '"total"' },
  { path: '/books/17', contains: '"isbn"' },
  { path: '/books/search?q=tea', contains: 'Tea' },
];
/** HotSpot ends with 143 on SIGTERM when its shutdown hooks are done. */
const SIGTERM = [143];

export const SYSTEMS: readonly System[] = [
  {
    ...{ name: 'jetty 12', example: 'jetty', build: maven('jetty'), jdks: [17, 21, 25], health: '/health' },
    ...{ paths: BOOKS, isShop: true, hasSessions: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{
      name: 'jetty 11',
      example: 'jetty',
      build: maven('jetty', '-P', 'jetty-11'),
      jar: 'target/jetty-11/jetty.jar',
    },
    ...{ jdks: [17], health: '/health', paths: BOOKS, isShop: true, hasSessions: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'jetty 12, coordinated', example: 'jetty', build: maven('jetty'), config: 'coordinated.yaml' },
    ...{ jdks: [25], health: '/health', paths: BOOKS, isShop: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  ...(['Serial', 'Parallel'] as const).map(
    (gc): System => ({
      ...{ name: `jetty 12, ${gc}`, example: 'jetty', build: maven('jetty'), flags: [`--java-option=-XX:+Use${gc}GC`] },
      ...{ jdks: [25], health: '/health', paths: BOOKS, isShop: true, stopsWith: SIGTERM },
    }),
  ),
  {
    ...{ name: 'tomcat 11', example: 'tomcat', build: maven('tomcat'), jdks: [17, 21, 25], health: '/health' },
    ...{ paths: BOOKS, isShop: true, hasSessions: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'tomcat 10.1', example: 'tomcat', build: maven('tomcat', '-P', 'tomcat-10'), jdks: [17] },
    ...{ folder: 'target/tomcat-10/tomcat', health: '/health', paths: BOOKS, isShop: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'netty, nio', example: 'netty', build: maven('netty'), jdks: [17, 21, 25], health: '/health' },
    ...{ paths: BOOKS, isShop: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'netty, native epoll', example: 'netty', build: maven('netty'), flags: ['--arg', 'epoll'] },
    ...{ jdks: [17, 25], health: '/health', paths: BOOKS, isShop: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'vert.x 5', example: 'vertx', build: maven('vertx'), jdks: [17, 21, 25], health: '/health' },
    ...{ paths: BOOKS, isShop: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'quarkus 3', example: 'quarkus', build: maven('quarkus'), jdks: [17, 21, 25], health: '/q/health' },
    ...{ paths: BOOKS, isShop: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'micronaut 4', example: 'micronaut', build: maven('micronaut'), jdks: [17, 21, 25], health: '/health' },
    ...{ paths: BOOKS, isShop: true, tellsEnvironment: true, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'spring boot 4', example: 'spring-boot', build: [join(EXAMPLES, 'spring-boot/build')] },
    ...{ jdks: [17, 21, 25], health: '/actuator/health', paths: BOOKS, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'spring boot 3', example: 'spring-boot', build: [join(EXAMPLES, 'spring-boot/build'), '3'] },
    ...{ jar: 'target/boot-3/bookshop.jar', jdks: [17], health: '/actuator/health', paths: BOOKS, stopsWith: SIGTERM },
  },
  {
    ...{ name: 'petclinic', example: 'petclinic', build: [join(EXAMPLES, 'petclinic/build')], jdks: [17, 21, 25] },
    ...{ health: '/actuator/health', ticks: '/rounds', stopsWith: SIGTERM },
    paths: [
      { path: '/owners/3', contains: 'vaccination' },
      { path: '/vets.html', contains: 'surgery' },
    ],
  },
  {
    ...{ name: 'xml-transform', example: 'xml-transform', build: maven('xml-transform'), jdks: [17, 25] },
    ...{ health: '/health', paths: [{ path: '/transform?invoices=5', contains: '<h2>' }], stopsWith: SIGTERM },
  },
];
