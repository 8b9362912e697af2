/** The trainer of sessions that began outside of Trackside, with `import trackside` in a script of the user. */
export const TRACKED = 'tracked';
