// Copy buttons: of no use without a script, so hidden until there is one.
"use strict";

function offer(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch {
    field.select();
  }
});

offer(document);

// Passkeys: the browser makes or shows one, and the form brings its answer. Hidden where the
// browser has none.
const passkeyForms = document.querySelectorAll("form[data-passkey]");
if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  for (const form of passkeyForms) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      const field = form.elements.namedItem("credential");
      if (field.value) return;
      event.preventDefault();
      const { publicKey } = JSON.parse(form.dataset.options);
      try {
        const credential = form.dataset.passkey === "create"
          ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
          })
          : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
          });
        field.value = JSON.stringify(credential.toJSON());
      } catch {
        // Whoever gave up gets the server's answer to nothing.
        field.value = "{}";
      }
      form.requestSubmit();
    });
  }
}
