/// <reference types="vite/client" />

/** Folder of the files of LiteRT.js in the site; see vite.config.ts. */
declare const RUNTIME: string;
