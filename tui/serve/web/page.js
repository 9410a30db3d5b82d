// textual.js connects once the page has loaded, to the address that it finds on the terminal: the page's own, whichever
// name of this machine it was opened by.
const terminal = document.getElementById("terminal");
terminal.dataset.sessionWebsocketUrl = `${location.origin.replace(/^http/, "ws")}/ws`;

// The first key belongs to the dashboard already: nobody has to click into it.
const opened = new MutationObserver(() => {
  if (document.body.classList.contains("-first-byte")) {
    opened.disconnect();
    terminal.querySelector("textarea").focus();
  }
});
opened.observe(document.body, { attributes: true, attributeFilter: ["class"] });

document.getElementById("again").addEventListener("click", () => location.reload());
