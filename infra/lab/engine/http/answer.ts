/** A finished HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function answer(status: number, type: string, body: string, headers: Record<string, string> = {}): Answer {
  return { status, body, headers: { ...(type !== '' && { 'content-type': type }), ...headers } };
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return answer(status, 'application/json;charset=UTF-8', JSON.stringify(value));
}

export function textAnswer(status: number, text: string, type = 'text/html;charset=UTF-8'): Answer {
  return answer(status, type, text);
}

/** What Apache says about a path nobody serves. */
export function htmlError(status: number, title: string): Answer {
  return textAnswer(
    status,
    `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n</body></html>\n`,
  );
}
