// Sends the request that a form describes, and shows the answer.
"use strict";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form.try");
  if (!form) return;
  event.preventDefault();
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("[data-in]")) {
    if (input.dataset.in === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value) query.set(input.name, input.value);
  }
  const headers = { Authorization: `Bearer ${document.getElementById("token").value}` };
  const body = form.elements.body ? form.elements.body.value : undefined;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const shown = form.querySelector(".answer");
  shown.hidden = false;
  try {
    const target = query.size ? `${path}?${query}` : path;
    const answer = await fetch(target, { method: form.dataset.method, headers, body, credentials: "omit" });
    const text = await answer.text();
    let pretty = text;
    try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* it is no JSON */ }
    shown.textContent = `${answer.status} ${answer.statusText}\n\n${pretty}`;
  } catch (error) {
    shown.textContent = `No answer: ${error.message}`;
  }
});
