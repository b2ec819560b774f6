/** Of package.json; a test compares them. The bundle carries no package.json. */
export const VERSION = '0.1.0';
