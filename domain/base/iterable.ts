/** Values that are made anew each time somebody goes through them: a long list need not be in memory as a whole. */
export const iterable = <T>(make: () => Iterator<T>): Iterable<T> => ({ [Symbol.iterator]: make });
