interface Window {
  htmx: { ajax(verb: string, path: string, options: { target: string; swap?: string }): Promise<void> };
}
