export interface Tool {
  readonly name: string;
  readonly version: string;
  readonly module: string;
  readonly builtName: string;
  readonly flags: readonly string[];
  readonly minutes: string;
  readonly onPath?: string;
}
export declare const TOOLS: { readonly temporalServer: Tool; readonly temporalUi: Tool; readonly versitygw: Tool };
export declare function cacheDir(env?: NodeJS.ProcessEnv): string;
export declare function onPath(program: string, env?: NodeJS.ProcessEnv): string | undefined;
export declare function findTool(tool: Tool): string | undefined;
export declare function ensureTool(tool: Tool, say?: (line: string) => void): Promise<string>;
