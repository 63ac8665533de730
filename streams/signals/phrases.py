"""Phrases by which assistants hedge and refuse, by language; data for `hedging.py`.

A modest list: the commonest wordings of twelve languages, written by hand and not measured on real refusals. Case,
accents' encoding and punctuation do not matter (`I can't` and `i can’t` are one).
"""

Languages = dict[str, tuple[str, ...]]

HEDGES: Languages = {
    "en": (
        "i'm not sure", "i am not sure", "i'm not certain", "i don't know", "i do not know", "it depends", "might be",
        "may be", "possibly", "perhaps", "i think", "i believe", "as far as i know", "to my knowledge",
        "please check", "please contact", "please consult",
        "you should check", "you should contact", "you should consult",
    ),
    "de": (
        "ich bin mir nicht sicher", "ich bin nicht sicher", "ich weiß nicht", "weiß ich nicht", "kommt darauf an",
        "kommt drauf an", "möglicherweise", "vielleicht", "eventuell", "vermutlich", "wahrscheinlich", "ich glaube",
        "ich denke", "ich vermute", "könnte sein", "soweit ich weiß", "bitte prüfen sie", "bitte wenden sie sich",
        "bitte kontaktieren sie",
    ),
    "fr": (
        "je ne suis pas sûr", "je ne suis pas sûre", "je ne suis pas certain", "je ne sais pas", "cela dépend",
        "ça dépend", "peut-être", "il se peut", "probablement", "je pense", "je crois", "à ma connaissance",
        "veuillez vérifier", "veuillez contacter", "veuillez consulter",
    ),
    "es": (
        "no estoy seguro", "no estoy segura", "no lo sé", "no sé", "depende de", "quizás", "quizá", "tal vez",
        "posiblemente", "probablemente", "creo que", "pienso que", "podría ser", "puede que", "hasta donde sé",
        "por favor consulte", "por favor contacte", "por favor verifique",
    ),
    "it": (
        "non sono sicuro", "non sono sicura", "non ne sono certo", "non lo so", "non so", "dipende da", "dipende dal",
        "forse", "probabilmente", "credo che", "penso che", "potrebbe essere", "può darsi", "per quanto ne so",
        "si prega di verificare", "si prega di contattare",
    ),
    "pt": (
        "não tenho certeza", "não tenho a certeza", "não sei", "depende de", "depende do", "talvez", "possivelmente",
        "provavelmente", "acho que", "penso que", "creio que", "pode ser que", "poderia ser", "até onde sei",
        "por favor verifique", "por favor consulte", "por favor contacte", "por favor entre em contato",
    ),
    "nl": (
        "ik weet het niet", "ik ben niet zeker", "ik ben er niet zeker van", "hangt ervan af", "misschien", "wellicht",
        "waarschijnlijk", "ik denk", "ik geloof", "zou kunnen", "voor zover ik weet", "neem contact op met",
    ),
    "pl": (
        "nie jestem pewien", "nie jestem pewna", "nie wiem", "to zależy", "zależy od", "być może", "prawdopodobnie",
        "możliwe że", "myślę że", "sądzę że", "wydaje mi się", "o ile wiem", "proszę sprawdzić",
        "proszę skontaktować",
    ),
    "tr": (
        "emin değilim", "bilmiyorum", "duruma göre değişir", "duruma bağlı", "belki", "muhtemelen", "olabilir",
        "sanırım", "galiba", "bildiğim kadarıyla", "lütfen kontrol edin", "lütfen iletişime geçin",
    ),
    "ru": (
        "я не уверен", "я не уверена", "не знаю", "это зависит", "зависит от", "возможно", "может быть", "вероятно",
        "наверное", "я думаю", "я полагаю", "мне кажется", "насколько я знаю", "пожалуйста проверьте",
    ),
}  # fmt: skip

REFUSALS: Languages = {
    "en": (
        "i can't help", "i cannot help", "i can't answer", "i cannot answer", "i can't assist", "i cannot assist",
        "i can't access", "i cannot access", "i can't provide", "i cannot provide", "i can't share", "i cannot share",
        "i can't discuss", "i cannot discuss", "i'm unable", "i am unable", "i'm not able to", "i am not able to",
        "i won't be able to", "as an ai", "as a language model", "i'm sorry but", "i am sorry but", "i'm afraid i can",
        "i don't have access", "i do not have access", "i don't have information", "i do not have information",
        "i must decline",
    ),
    "de": (
        "nicht helfen", "nicht weiterhelfen", "kann ich leider nicht", "ich kann leider nicht", "ich kann leider keine",
        "kann ich nicht beantworten", "ich kann keine auskunft", "ich bin nicht in der lage", "tut mir leid aber",
        "als ki", "als künstliche intelligenz", "als sprachmodell", "ich habe keinen zugriff",
        "ich habe keine informationen",
    ),
    "fr": (
        "je ne peux pas vous aider", "je ne peux pas t'aider", "je ne peux pas répondre", "je ne peux pas fournir",
        "je ne peux pas vous fournir", "je ne suis pas en mesure", "je suis désolé mais", "désolé mais",
        "en tant qu'ia", "en tant qu'intelligence artificielle", "en tant que modèle de langage",
        "je n'ai pas accès", "je n'ai pas d'informations",
    ),
    "es": (
        "no puedo ayudar", "no puedo ayudarte", "no puedo ayudarle", "no puedo responder", "no puedo proporcionar",
        "no me es posible", "lo siento pero", "lo lamento pero", "como ia", "como inteligencia artificial",
        "como modelo de lenguaje", "no tengo acceso", "no dispongo de", "no tengo información",
    ),
    "it": (
        "non posso aiutare", "non posso aiutarla", "non posso aiutarti", "non posso rispondere", "non posso fornire",
        "non sono in grado", "mi dispiace ma", "in quanto ia", "come ia", "come intelligenza artificiale",
        "come modello linguistico", "non ho accesso", "non dispongo di", "non ho informazioni",
    ),
    "pt": (
        "não posso ajudar", "não posso ajudá-lo", "não posso responder", "não posso fornecer", "não consigo ajudar",
        "não sou capaz", "lamento mas", "desculpe mas", "sinto muito mas", "como uma ia", "como ia",
        "como inteligência artificial", "como modelo de linguagem", "não tenho acesso", "não tenho informações",
    ),
    "nl": (
        "ik kan u niet helpen", "ik kan je niet helpen", "ik kan niet helpen", "kan ik u niet helpen",
        "kan ik je niet helpen", "ik kan geen antwoord", "ik kan deze vraag niet", "ik kan die vraag niet",
        "ik ben niet in staat", "het spijt me maar", "sorry maar", "als ai", "als taalmodel", "ik heb geen toegang",
        "ik beschik niet over",
    ),
    "pl": (
        "nie mogę pomóc", "nie mogę odpowiedzieć", "nie mogę udzielić", "nie mogę podać", "nie jestem w stanie",
        "przykro mi ale", "przepraszam ale", "jako ai", "jako sztuczna inteligencja", "jako model językowy",
        "nie mam dostępu", "nie mam informacji",
    ),
    "tr": (
        "yardımcı olamam", "yardımcı olamıyorum", "yardımcı olamayacağım", "cevap veremem", "yanıt veremem",
        "yanıtlayamam", "üzgünüm ama", "üzgünüm ancak", "yapay zeka olarak", "dil modeli olarak", "erişimim yok",
    ),
    "ru": (
        "не могу помочь", "не могу ответить", "не могу предоставить", "я не в состоянии", "к сожалению я не могу",
        "извините но", "простите но", "мне жаль но", "как ии", "как искусственный интеллект", "как языковая модель",
        "у меня нет доступа", "у меня нет информации",
    ),
}  # fmt: skip

# Scripts without spaces: found anywhere in the text.
UNSPACED_HEDGES: Languages = {
    "zh": (
        "不确定", "不確定", "不清楚", "不知道", "可能", "也许", "也許", "或许", "或許", "大概", "取决于", "取決於",
        "视情况而定", "我认为", "我認為", "我觉得", "据我所知", "请咨询", "请联系", "請諮詢", "請聯繫",
    ),
    "ja": (
        "わかりません", "分かりません", "かもしれ", "おそらく", "たぶん", "場合によります", "と思います",
        "可能性があります", "ご確認ください", "お問い合わせください",
    ),
}  # fmt: skip
UNSPACED_REFUSALS: Languages = {
    "zh": (
        "我无法", "我無法", "我不能", "无法回答", "無法回答", "无法提供", "無法提供", "很抱歉", "作为人工智能",
        "作為人工智慧", "没有权限", "没有相关信息",
    ),
    "ja": (
        "お答えできません", "お答えすることはできません", "お手伝いできません", "回答できません", "提供できません",
        "申し訳ありませんが", "申し訳ございませんが", "言語モデルとして", "アクセスできません",
    ),
}  # fmt: skip
