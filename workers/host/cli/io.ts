/** Where a command prints. */
export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
}

/** This process's. Whoever stops reading (`| head`) ends it quietly. */
export function processIo(): CliIo {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) };
}
