// How does the page talk to the service? The access token lives in memory; the session lives in a cookie that no script reads.
import { language, word } from "./words.js";

let token = null;
export const signedIn = () => token !== null;

/** A refusal, in the service's words. */
export class Refused extends Error {
  constructor(status, problem) {
    // A detail that repeats the first error also says where it is, such as the line of an outline.
    const told = problem.errors && !problem.detail.includes(problem.errors[0].message);
    super((told ? problem.errors.map((one) => one.message).join(" ") : problem.detail) || word("offline"));
    this.status = status;
  }
}

async function send(method, path, { body, tag, key } = {}) {
  const headers = { "accept-language": language };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  if (tag) headers["if-match"] = tag;
  if (key) headers["idempotency-key"] = key;
  try {
    return await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refused(0, {});
  }
}

/** One call: {body, tag}. The session is renewed once when the access token has expired. */
export async function call(method, path, options = {}) {
  let answer = await send(method, path, options);
  if (answer.status === 401 && token && (await resume())) answer = await send(method, path, options);
  const content = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, content);
  return { body: content, tag: answer.headers.get("etag") };
}

/** Go on with the session of the cookie, where this browser has had one. */
export async function resume() {
  token = null;
  if (!localStorage.getItem("session")) return false;
  const answer = await send("POST", "/sessions/refresh", { body: {} });
  if (answer.ok) token = (await answer.json()).access_token;
  else localStorage.removeItem("session");
  return answer.ok;
}

export async function logIn(email, password) {
  token = null;
  const { body } = await call("POST", "/sessions", { body: { email, password, transport: "cookie" } });
  token = body.access_token;
  localStorage.setItem("session", "open");
}

export async function logOut() {
  await call("DELETE", "/sessions/current").catch(() => null);
  localStorage.removeItem("session");
  token = null;
}

/** Tell every change of a video until it is over; asks again and again where a socket cannot be had. */
export function follow(id, told) {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/videos/${id}/progress`, ["tecnocursos.progress", `bearer.${token}`]);
  let over = false;
  const tell = (video) => {
    over = ["done", "failed", "cancelled"].includes(video.status);
    told(video);
  };
  socket.onmessage = (event) => tell(JSON.parse(event.data));
  socket.onclose = async () => {
    while (!over) {
      await new Promise((wake) => setTimeout(wake, 2000));
      tell((await call("GET", `/videos/${id}`)).body);
    }
  };
}
