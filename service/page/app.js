// What does a creator do here? Log in, paste an outline, see the scenes, render, watch, share.
import { Refused, call, follow, logIn, logOut, resume, signedIn } from "./api.js";
import { EXAMPLES, language, speak, word } from "./words.js";

const $ = (id) => document.getElementById(id);
let course = null; // what is open: {body, tag}
let video = null; // what is being made

function show(...ids) {
  for (const id of ["entry", "desk", "course"]) $(id).hidden = !ids.includes(id);
  $("leave").hidden = !signedIn();
  $("notice").hidden = true;
}

function complain(error) {
  if (!(error instanceof Refused)) console.error(error);
  $("notice").textContent = error.message;
  $("notice").hidden = false;
  $("notice").scrollIntoView({ block: "nearest" });
}

/** Run on a click or a submit; the button rests meanwhile, and a refusal is shown. */
function on(id, event, act) {
  $(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    const button = happened.submitter ?? (event === "click" ? $(id) : null);
    $("notice").hidden = true;
    if (button) button.disabled = true;
    try {
      await act(happened);
    } catch (error) {
      if (error.status === 401) show("entry");
      complain(error);
    } finally {
      if (button) button.disabled = false;
    }
  });
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

async function openDesk() {
  course = null;
  history.replaceState(null, "", "/");
  const { body } = await call("GET", "/projects?limit=100");
  $("courses").replaceChildren(
    ...body.items.map((one) => {
      const button = element("button", one.title, element("small", `${word("count")(one.scene_count)} · ${word(one.status)}`));
      button.addEventListener("click", () => openCourse(one.id).catch(complain));
      return element("li", "", button);
    }),
  );
  $("no-courses").hidden = body.items.length > 0;
  show("desk");
}

async function openCourse(id) {
  course = await call("GET", `/projects/${id}`);
  history.replaceState(null, "", `#course=${id}`);
  const latest = `/videos?project_id=${id}&limit=1`;
  const [scenes, newest, done] = await Promise.all([`/projects/${id}/scenes`, latest, `${latest}&status=done`].map((path) => call("GET", path)));
  $("course-title").textContent = course.body.title;
  $("scenes").replaceChildren(
    ...scenes.body.items.map((scene) => {
      const bullets = scene.text.split("\n").filter((line) => line.trim()).map((line) => element("li", line.replace(/^\s*- /, "")));
      const shown = element("li", "", element("h3", scene.title));
      if (bullets.length) shown.append(element("ul", "", ...bullets));
      if (scene.narration) shown.append(element("p", scene.narration));
      return shown;
    }),
  );
  for (const part of ["tools", "scenes"]) $(part).hidden = false;
  for (const part of ["player", "progress", "shared"]) $(part).hidden = true;
  $("publish").textContent = word(course.body.status === "published" ? "unpublish" : "publish");
  show("course");
  $("main").focus({ preventScroll: true });
  if (done.body.items.length) await play(`/projects/${id}/watch`);
  const [made] = newest.body.items;
  if (made && ["queued", "running"].includes(made.status)) watchOver(made);
}

function watchOver(one) {
  video = one;
  const told = (now) => {
    if (course?.body.id !== one.project_id) return;
    $("progress").hidden = now.status !== "queued" && now.status !== "running";
    $("progress").querySelector("progress").value = now.progress;
    $("progress-words").textContent = now.status === "queued" ? word("waiting") : word("working")(now.progress);
    $("render").disabled = !$("progress").hidden;
    if (now.status === "failed") complain(new Refused(0, { detail: word("failed") + now.message }));
    if (now.status === "done") play(`/projects/${one.project_id}/watch`).catch(complain);
  };
  told(one);
  follow(one.id, told);
}

async function play(path) {
  const { body } = await call("GET", path);
  const screen = $("player").querySelector("video");
  const captions = Object.assign(document.createElement("track"), { kind: "captions", src: body.captions.url, label: word("captions"), default: true });
  captions.srclang = body.language.split("-")[0];
  screen.replaceChildren(captions);
  screen.poster = body.thumbnail.url;
  screen.src = body.video.url;
  screen.setAttribute("aria-label", body.title);
  $("player-caption").textContent = word("ready");
  $("player").hidden = false;
  return body;
}

async function openShared(token) {
  for (const part of ["tools", "progress", "shared", "back"]) $(part).hidden = true;
  $("scenes").previousElementSibling.hidden = true;
  show("course");
  const body = await play(`/shares/${token}`);
  $("course-title").textContent = body.title;
  $("player-caption").textContent = body.description;
}

async function begin() {
  speak();
  const [, kind, value] = /^#(course|watch)=([\w-]+)$/.exec(location.hash) ?? [];
  if (kind === "watch") return openShared(value);
  if (!(await resume())) return show("entry");
  return kind === "course" ? openCourse(value) : openDesk();
}

on("language", "click", async () => {
  speak(true);
  if (course) await openCourse(course.body.id);
  else if (!$("desk").hidden) await openDesk();
});
on("leave", "click", async () => {
  await logOut();
  course = null;
  history.replaceState(null, "", "/");
  show("entry");
});
on("enter", "submit", async ({ submitter }) => {
  const { name, email, password } = Object.fromEntries(new FormData($("enter")));
  if (submitter?.value === "register") await call("POST", "/users", { body: { email, password, name: name.trim() || email.split("@")[0] } });
  await logIn(email, password);
  $("enter").reset();
  await openDesk();
});
on("example", "click", () => ($("import").outline.value = EXAMPLES[language]));
on("import", "submit", async () => {
  const outline = $("import").outline.value;
  const { body } = await call("POST", "/projects/import", { body: { outline, language: language === "pt" ? "pt-BR" : "en-US" }, key: crypto.randomUUID() });
  $("import").reset();
  await openCourse(body.id);
});
on("back", "click", openDesk);
on("render", "click", async () => {
  const check = (await call("GET", `/projects/${course.body.id}/check`)).body;
  if (!check.ready) throw new Refused(0, { detail: check.problem });
  watchOver((await call("POST", `/projects/${course.body.id}/videos`, { key: crypto.randomUUID() })).body);
});
on("cancel", "click", () => call("POST", `/videos/${video.id}/cancel`));
on("publish", "click", async () => {
  const status = course.body.status === "published" ? "draft" : "published";
  await call("PATCH", `/projects/${course.body.id}`, { body: { status }, tag: course.tag });
  await openCourse(course.body.id);
});
on("share", "click", async () => {
  const { body } = await call("POST", `/projects/${course.body.id}/share`);
  const link = $("shared").querySelector("a");
  link.href = link.textContent = `${location.origin}/#watch=${body.token}`;
  $("shared").hidden = false;
});
on("withdraw", "click", async () => {
  await call("DELETE", `/projects/${course.body.id}/share`);
  $("shared").hidden = true;
});
on("remove", "click", async () => {
  if (!confirm(word("sure"))) return;
  await call("DELETE", `/projects/${course.body.id}`, { tag: course.tag });
  await openDesk();
});

begin().catch((error) => {
  if (error.status === 404 && location.hash.startsWith("#watch")) error = new Refused(404, { detail: word("nothing") });
  complain(error);
});
