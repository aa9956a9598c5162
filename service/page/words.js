// What does the page say? In Portuguese and in English.
const WORDS = {
  pt: {
    skip: "Ir para o conteúdo", api: "API", leave: "Sair", other: "English", welcome: "Do roteiro ao vídeo narrado",
    promise: "Cole o roteiro da sua aula, veja as cenas e receba um vídeo com voz e legendas.", name: "Nome (só para criar a conta)",
    email: "E-mail", password: "Senha", passwordRule: "12 caracteres ou mais.", login: "Entrar", register: "Criar conta",
    newCourse: "Novo curso", outline: "Roteiro", create: "Criar curso", example: "Usar um exemplo", courses: "Seus cursos",
    outlineHelp: "Markdown: # título, ## para cada cena, - para os tópicos; os parágrafos são narrados.",
    noCourses: "Ainda não há cursos. Cole um roteiro acima.", back: "← Todos os cursos", render: "Gerar vídeo",
    publish: "Publicar", unpublish: "Despublicar", share: "Compartilhar", sharedAt: "Quem tem este link assiste sem conta:",
    withdraw: "Retirar o link", remove: "Apagar curso", sure: "Apagar este curso, com suas cenas e vídeos?", cancel: "Cancelar",
    scenes: "Cenas", count: (n) => (n === 1 ? "1 cena" : `${n} cenas`), draft: "rascunho", published: "publicado", archived: "arquivado",
    failed: "O vídeo não ficou pronto: ", captions: "Legendas", ready: "Vídeo pronto.", waiting: "O vídeo espera a sua vez.",
    working: (percent) => `Gerando o vídeo: ${percent} %`, offline: "O serviço não respondeu. Tente de novo.", nothing: "Este link foi retirado.",
  },
  en: {
    skip: "Skip to the content", api: "API", leave: "Log out", other: "Português", welcome: "From outline to narrated video",
    promise: "Paste the outline of your lesson, see its scenes, and get a video with voice and captions.", name: "Name (for a new account only)",
    email: "E-mail", password: "Password", passwordRule: "12 characters or more.", login: "Log in", register: "Create an account",
    newCourse: "New course", outline: "Outline", create: "Create the course", example: "Use an example", courses: "Your courses",
    outlineHelp: "Markdown: # title, ## for each scene, - for bullets; paragraphs are read aloud.",
    noCourses: "No courses yet. Paste an outline above.", back: "← All courses", render: "Make the video",
    publish: "Publish", unpublish: "Unpublish", share: "Share", sharedAt: "Whoever has this link watches without an account:",
    withdraw: "Withdraw the link", remove: "Delete the course", sure: "Delete this course with its scenes and videos?", cancel: "Cancel",
    scenes: "Scenes", count: (n) => (n === 1 ? "1 scene" : `${n} scenes`), draft: "draft", published: "published", archived: "archived",
    failed: "The video was not made: ", captions: "Captions", ready: "The video is ready.", waiting: "The video waits for its turn.",
    working: (percent) => `Making the video: ${percent} %`, offline: "The service did not answer. Try again.", nothing: "This link was withdrawn.",
  },
};

export const EXAMPLES = {
  pt: "# Luz em um minuto\n\nBem-vindo. Hoje vamos ver de que é feita a luz.\n\n## O que é a luz?\n\n- Energia que viaja\n- A mais rápida que existe\n\nA luz é energia que viaja pelo espaço, mais rápida do que tudo o que conhecemos.\n\n## As cores\n\n- Vermelho, verde, azul\n\nCada cor é uma luz de outro comprimento de onda.\n",
  en: "# Light in a minute\n\nWelcome. Today we look at what light is made of.\n\n## What is light?\n\n- Energy that travels\n- The fastest thing there is\n\nLight is energy that travels through space, faster than anything we know.\n\n## Colours\n\n- Red, green, blue\n\nEach colour is light of another wavelength.\n",
};

export let language = localStorage.getItem("language") ?? (navigator.language.startsWith("pt") ? "pt" : "en");
export const word = (name) => WORDS[language][name];

/** Say everything in the present language, or in the other one. */
export function speak(other = false) {
  if (other) localStorage.setItem("language", (language = language === "pt" ? "en" : "pt"));
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  document.querySelector("#language").textContent = word("other");
}
