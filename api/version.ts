/** Of package.json; a test compares them. A bundle carries no package.json. */
export const VERSION = '0.1.0';
