"""What do synthesisers read? Short lines with vowels to hold, written for this, by language."""

LINES = {
    "en": (
        "we are sailing home tonight", "hold me closer now", "over the mountain and under the moon",
        "nobody told me the reason", "all of the lights are low", "tell me again how the river runs",
        "I will wait for you", "summer is gone my love", "run away from here", "never let it go",
        "the rain is falling on the road", "where do we go from here", "open your eyes and see",
        "I remember your name", "one more time around", "we could be dancing in the dark",
    ),
    "es": (
        "la luna llena en el mar", "dime que me quieres", "vamos a bailar", "no me dejes solo",
        "una noche de verano", "en la arena del camino", "ojos negros que me miran", "volveré mañana",
        "lejos de mi tierra", "el viento lleva mi nombre", "canta conmigo ahora", "amor de mi vida",
    ),
    "it": (
        "la notte è chiara", "dimmi di sì", "amore mio dove vai", "il mare non dorme mai",
        "una voce nel vento", "vieni con me lontano", "ritornerò domani", "sole di primavera",
        "non mi lasciare", "le stelle sopra di noi", "la strada è lunga", "ancora una volta",
    ),
    "de": (
        "der Mond ist heut so nah", "komm mit mir ans Meer", "wo gehen wir hin", "sag mir die Wahrheit",
        "alle Lichter sind aus", "ich warte noch auf dich", "der Regen fällt so leise", "halt mich fest",
        "über den Wolken", "morgen bin ich wieder da", "ein neuer Tag beginnt", "nie mehr allein",
    ),
    "fr": (
        "la mer est calme ce soir", "dis-moi encore une fois", "où allons-nous", "je reviendrai demain",
        "la nuit nous appartient", "une chanson pour toi", "reste avec moi", "le vent dans les arbres",
        "sous la lune pâle", "mon amour est loin", "on dansera jusqu'au matin", "rien ne va plus",
    ),
    "pt": (
        "a lua vem do mar", "diz que sim", "vamos embora daqui", "meu amor não vai voltar",
        "uma noite sem fim", "o vento leva tudo", "canta mais uma vez", "saudade de você",
        "a rua está vazia", "eu espero por ti", "amanhã será outro dia", "olhos de areia",
    ),
    "sv": (
        "månen över havet", "kom och dansa", "var är du nu", "jag väntar här", "hela natten lång",
        "vinden bär mitt namn", "en sång om sommaren", "långt bort härifrån", "håll min hand",
        "ingen vet vart vi går", "solen går upp igen", "minns du mig",
    ),
    "la": (
        "luna plena in mari", "veni mecum amica", "nox est perpetua", "gaudeamus hodie", "in aeterna pace",
        "stella lucet in caelo", "ubi sunt amici", "vita brevis est", "cantate omnes", "sine te non vivo",
        "aurora nova venit", "dona nobis lumen",
    ),
    "fi": (
        "kuu on noussut merelle", "tule kanssani tanssimaan", "minä odotan sinua", "yö on pitkä",
        "tuuli vie nimeni", "laula vielä kerran", "missä olet nyt", "kesä on ohi", "valot sammuvat",
        "huomenna palaan kotiin", "älä jätä minua", "tie on tyhjä",
    ),
    "eo": (
        "la luno super la maro", "venu kun mi nun", "kie vi estas", "mi atendas vin", "la nokto estas longa",
        "la vento portas mian nomon", "kantu ankoraŭ", "somera suno", "mia amo foriris", "ni dancu kune",
        "nova tago venas", "neniam plu sola",
    ),
    "id": (
        "bulan di atas laut", "mari menari bersama", "di mana kamu", "aku menunggumu", "malam yang panjang",
        "angin membawa namaku", "bernyanyi sekali lagi", "jangan pergi", "cahaya di jalan", "esok kembali",
        "hujan turun pelan", "cinta yang jauh",
    ),
    "ja": (
        "月の光が海を照らす", "あなたを待っている", "夜が明けるまで", "もう一度だけ", "風の中で歌おう",
        "遠い道を歩いて", "夢の続きを見たい", "雨が静かに降る", "君の名前を呼ぶ", "明日また会おう",
        "空の青さを忘れない", "さくらの花が咲く", "波の音が聞こえる", "ひとりにしないで",
    ),
}  # fmt: skip
