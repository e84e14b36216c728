// Runs after textual.js, which waits for the page to be complete before it opens its terminal and its websocket.
"use strict";

const LONGEST = 65536; // characters of one message; a longer paste is not sent
const terminal = document.getElementById("terminal");
const here = new URL("ws", location.href);
here.protocol = here.protocol.replace("http", "ws");
here.search = here.hash = "";
terminal.dataset.sessionWebsocketUrl = here.href;

// textual.js neither waits for the websocket to be open, nor shows why it was closed.
window.WebSocket = class extends WebSocket {
  constructor(...address) {
    super(...address);
    this.addEventListener("close", (event) => {
      if (event.reason) document.getElementById("reason").textContent = event.reason;
      setTimeout(() => document.getElementById("again").focus()); // once textual.js has marked the page as closed
    });
  }
  send(message) {
    if (this.readyState === WebSocket.OPEN && message.length <= LONGEST) super.send(message);
  }
};

document.getElementById("again").addEventListener("click", () => location.reload());
addEventListener("load", () => terminal.querySelector("textarea")?.focus());
