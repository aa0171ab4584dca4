/** The live connection of an open page, whose messages are thrown away. */
export interface Page {
  close(): void;
}

export function openPage(port: number): Promise<Page> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/plimsoll/live`);
    socket.addEventListener("open", () => resolve(socket));
    socket.addEventListener("error", () => reject(new Error("its live connection does not open")));
  });
}
