"""Stories that use the words of AI safety and are about something else. All written for these tests."""

HARD_NEGATIVES = {
    "phone jailbreak": (
        "How to jailbreak an old phone and give it a second life",
        (
            "The jailbreak takes ten minutes and a cable, and it works on every phone of that year. "
            "A jailbroken phone can run a launcher of your own, and the AI assistant, or any other AI app, stays where it was. "
            "Jailbreaking voids the warranty, so make a backup first and keep the safeguards of your bank in mind. "
            "If the screen stays black, hold both buttons and start the jailbreak again."
        ),
    ),
    "car on ice": (
        "Driver hurt after losing control on black ice",
        (
            "Police said the loss of control happened in a long curve north of the village shortly after six. "
            "The car's AI lane assistant was switched on, which an expert called irrelevant on a road like this. "
            "A second loss of control at the same place an hour later ended in a hedge. "
            "The county promised to salt the road earlier and to look at safety there once more."
        ),
    ),
    "wheel alignment": (
        "Garage uses AI camera to measure wheel alignment in two minutes",
        (
            "The camera looks at all four wheels and says how far each is out of alignment. "
            "Misalignment eats tyres, and until now a laser alignment took the better part of an hour. "
            "The garage says the evaluation costs forty euros and that safety is included."
        ),
    ),
    "team sport": (
        "Red team wins school robot cup after a late save",
        (
            "The red team had trained with an AI coach all winter and was ahead from the second minute. "
            "Their keeper's deception at the penalty was the picture of the day. "
            "Oversight of the match lay with two teachers, who had a quiet afternoon."
        ),
    ),
    "food inspection": (
        "Food safety inspectors try machine learning in school kitchens",
        (
            "The program reads the kitchen's thermometers and flags a fridge that is too warm. "
            "Food safety in the district has been good for years, the office says, and recalls are rare. "
            "An evaluation of the first month is expected in spring, with human oversight as before."
        ),
    ),
    "start-up money": (
        "AI startup for invoices raises Series B at doubled valuation",
        (
            "The company reads invoices with a language model and has nine hundred customers. "
            "Its valuation doubled in a year, and the board has oversight of how the money is spent. "
            "Persuasion was not needed, the founder said, because two funds had asked by themselves."
        ),
    ),
    "painting": (
        "The forged Claude that hung in a castle for eighty years",
        (
            "The landscape was sold as a Claude in 1931, and nobody doubted it before the X-ray. "
            "The deception came to light when the frame was mended. "
            "Whoever painted it meant to deceive, the curator said, but did it with love. "
            "The evaluation of the pigments filled a whole folder."
        ),
    ),
    "horoscope": (
        "Gemini in November: a month for honesty",
        (
            "With the planetary alignment of the first week, Gemini feels drawn to old friends. "
            "Your instinct for self-preservation is right this time, so leave the argument alone. "
            "Honesty at work pays off after the full moon."
        ),
    ),
    "bank": (
        "Whistleblower at regional bank wins in court",
        (
            "The whistleblower had shown that loans were booked twice, and lost her post for it. "
            "The judge said the bank's safeguards had failed and that oversight had been asleep. "
            "An AI tool that sorts the bank's letters played no part in the case."
        ),
    ),
    "laptop": (
        "Review: a thin laptop with an AI key and a long day in it",
        (
            "Battery life is the news: fourteen hours in our test, with the screen at two thirds. "
            "The AI key starts a chatbot that we never needed, and the safety lock fits every cable. "
            "Our evaluation of the keyboard is short: quiet, flat and good. There are best deals from Friday."
        ),
    ),
    "quantum": (
        "Physicists hold a superposition for a full second",
        (
            "The superposition of two states lasted longer than any before it in a solid. "
            "Machine learning helped to tune the lasers, which drift by the hour. "
            "The group hopes for memories in which a superposition outlives the lunch break."
        ),
    ),
    "climate": (
        "Islanders call rising sea an existential risk",
        (
            "The delegation told the conference that the sea takes two metres of beach a year. "
            "For them this is an existential risk and no figure in a table. "
            "The fund they ask for would pay for dikes and, where dikes are no use, for new villages."
        ),
    ),
    "산불": (
        "통제 불능 산불, 사흘째 번져",
        (
            "소방 당국은 강한 바람 때문에 산불이 한때 통제 불능 상태였다고 밝혔다. "
            "인공지능 카메라가 연기를 먼저 발견했지만 길이 좁아 차가 들어가지 못했다. "
            "주민 이백 명이 학교 체육관에서 밤을 보냈고, 다친 사람은 없었다."
        ),
    ),
    "手机越狱": (
        "旧手机越狱教程：十分钟让它重获新生",
        (
            "越狱之前请先备份照片，并把电量充到一半以上。 "
            "越狱以后可以换主题，也可以关掉自带的人工智能助手。 "
            "如果屏幕一直是黑的，就按住两个按钮再试一次越狱。"
        ),
    ),
    "脱獄": (
        "古いスマホを脱獄して使い続ける方法",
        (
            "脱獄の前に写真を保存し、充電を半分以上にしておきましょう。"
            "脱獄すると保証はなくなりますが、生成AIの機能はそのまま使えます。"
            "画面が黒いままなら、二つのボタンを押してやり直します。"
        ),
    ),
    "Glatteis": (
        "Kontrollverlust auf Glatteis: Fahrerin leicht verletzt",
        (
            "Die Polizei nennt als Ursache einen Kontrollverlust in der langen Kurve hinter dem Dorf. "
            "Der KI-Assistent des Wagens war eingeschaltet, half auf dem Eis aber nicht. "
            "Die Gemeinde will künftig früher streuen und die Verkehrssicherheit prüfen."
        ),
    ),
    "verglas": (
        "Perte de contrôle sur le verglas : une conductrice blessée",
        (
            "« J'ai freiné et la voiture est partie », raconte la conductrice, légèrement blessée. "
            "La gendarmerie parle d'une perte de contrôle dans un virage mal éclairé. "
            "La commune promet de saler plus tôt et de revoir la sécurité routière."
        ),
    ),
    "hielo": (
        "Pérdida de control en una curva helada",
        (
            "La policía cree que la pérdida de control se debió al hielo y no a la velocidad. "
            "El coche llevaba un asistente con inteligencia artificial, que no sirvió de nada. "
            "El ayuntamiento echará sal antes y revisará la seguridad vial."
        ),
    ),
}
