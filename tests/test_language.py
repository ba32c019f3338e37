"""The language of a text that does not say it: small words tell, and what they leave in doubt the model is asked for."""

import pytest

from pipelines import language
from pipelines.language import by_script, by_small_words, language_of

TOLD = {
    "en": "The harbour council said on Tuesday that it had asked the port to test the new pilot for a year, and that the crew would have to be on board at all times in case it failed.",
    "de": "Der Hafenrat hat am Dienstag gesagt, dass der neue Lotse für ein Jahr in dem Hafen geprüft wird und dass die Mannschaft zu jeder Zeit an Bord sein muss, falls er nicht mehr antwortet.",
    "fr": "Le conseil du port a dit mardi que le nouveau pilote sera mis à l'essai pendant un an dans le bassin et que les marins doivent être à bord pour le cas où il ne répond plus.",
    "es": "Según el consejo del puerto, el nuevo piloto ha sido probado con éxito, pero los marineros y sus jefes no se fían: era la primera vez que los barcos salían sin ellos, y cuando se apagó la luz no había quien los llevara por el canal ni por las rocas.",
    "it": "Il consiglio del porto ha detto martedì che il nuovo pilota sarà provato per un anno nella darsena e che i marinai devono essere a bordo se non risponde più agli ordini della torre.",
    "pt": "O conselho do porto disse na terça que o novo piloto será testado por um ano na doca e que os marinheiros não podem sair de bordo para o caso de ele não responder mais às ordens.",
    "nl": "De raad van de haven zei dinsdag dat het nieuwe systeem een jaar lang in de haven wordt getest en dat de bemanning aan boord moet zijn als het niet meer op de brug reageert.",
    "ru": "Совет порта сказал во вторник, что новый лоцман будет год на испытании и что команда не может уйти с борта, так как он был не готов и от него не было ответа на вызов.",
}
OTHERS = {
    "ca": "El consell del port va dir dimarts que el nou pilot serà provat durant un any a la dàrsena i que els mariners han de ser a bord per si no respon més a les ordres de la torre.",
    "uk": "Рада порту сказала у вівторок, що новий лоцман буде рік на випробуванні і що команда не може піти з борту, бо він був не готовий і від нього не було відповіді на виклик.",
    "da": "Havnerådet sagde tirsdag, at den nye lods skal prøves i et år i havnen, og at mandskabet skal være om bord hele tiden, hvis den ikke svarer på det, som tårnet siger til den.",
}


@pytest.fixture
def asked(monkeypatch):
    """What the model was asked; it is not loaded."""
    found = []

    class Model:
        @staticmethod
        def classify(text):
            found.append(text)
            return "xx", 0.0

    monkeypatch.setitem(__import__("sys").modules, "py3langid", Model)
    return found


@pytest.mark.parametrize("name", TOLD)
def test_prose_of_a_common_language_needs_no_model(name, asked):
    assert language_of(TOLD[name], ()) == name
    assert asked == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_next_of_kin_are_left_to_the_model(name, asked):
    assert language_of(OTHERS[name], ()) == "xx"
    assert len(asked) == 1


@pytest.mark.parametrize(
    "text", ["The port of the north", "GPT Claude Gemini Llama Mistral " * 10, TOLD["en"] + TOLD["de"]]
)
def test_few_words_names_and_two_languages_are_a_doubt(text):
    assert by_small_words(text) == ""


HEADLINES = (
    "Harbour Ropes Counted Anew Crews And Captains Meet North Pier Lamp Keepers Ask For Oil Storm Sighted Off Three Lighthouses Boats Back With Herring"
    " Mayor To Open Dock Before Autumn Pilots Of Old School Retire Sail Makers Strike Over Pay Museum Shows Brass Compass In New Hall"
)


def test_headlines_have_few_small_words_and_are_told_by_several_of_them(asked):
    assert (
        0.1
        < len([word for word in HEADLINES.lower().split() if word in language.SMALL_WORDS["en"]])
        / len(HEADLINES.split())
        < language.PROSE.share
    )
    assert language_of(HEADLINES, ()) == "en"
    assert asked == []


def test_small_words_amid_foreign_letters_are_left_to_the_model(asked):
    assert language_of(HEADLINES.replace("r", "ř").replace("e", "ě"), ()) == "xx"


def test_letters_nobody_could_read_are_not_guessed_at(asked):
    assert language_of("\ufffd\ufffd Ko \ufffd ra \ufffd\ufffd im " * 20, ()) == ""
    assert asked == []


def test_no_small_word_is_written_twice_or_with_marks():
    for words in (language._SMALL_WORDS | language._NEIGHBOURS).values():
        assert len(words.split()) == len(set(words.split()))
        assert all(word.isalpha() and word == word.lower() for word in words.split())


RUSSIAN = "Рыбаки вышли в море рано утром, и эти лодки вернулись с хорошим уловом."
BULGARIAN = "Рибарите излязоха в морето рано сутринта и лодките се върнаха с добър улов."
UKRAINIAN = "Рибалки вийшли в море рано вранці, і ці човни повернулися з добрим уловом."
KAZAKH = "Балықшылар таңертең ерте теңізге шығып, қайықтар жақсы аумен оралды, бұл жыл сәтті."


@pytest.mark.parametrize(("text", "script"), [(RUSSIAN, "ru"), (BULGARIAN, ""), (UKRAINIAN, ""), (KAZAKH, "")])
def test_russian_is_told_by_letters_its_neighbours_lack(text, script):
    assert by_script(text) == script


def test_letters_outweigh_what_a_page_claims():
    assert language_of(RUSSIAN, ["en"]) == "ru"


def test_a_russian_quotation_makes_no_russian_page():
    text = f"The boats went out early and came back with a good catch, as every year at this time. {RUSSIAN[:30]}"
    assert language_of(text, ["en"]) == "en"
