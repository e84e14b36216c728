"""Surnames of eight languages, in the letters a to z (ö is oe in German; other accents are dropped)."""

SURNAMES = {
    "Dutch": """
        vandijk debruin jansen bakker visser mulder dejong vandenberg hendriks dekker brouwer dewit
        dijkstra smits degraaf kok jacobs vermeulen vanderveen vandenbosch schouten willems hoekstra
        koster prins huisman peeters kuiper vanleeuwen kuijpers veenstra kramer scholten vanwijk postma
        blom terpstra bosma hofman kooistra vermeer zijlstra bouwman vanloon schipper
    """,
    "English": """
        smith jones taylor brown williams wilson johnson davies robinson wright thompson evans walker
        white roberts green hall wood jackson clarke harris lewis clark turner hill cooper ward moore
        morris baker harrison king morgan allen shaw ashworth bradshaw hathaway whitfield thorpe
        underwood fairchild winthrop blackwell kingsley
    """,
    "French": """
        martin bernard dubois durand moreau laurent lefebvre leroy roux fournier girard bonnet lambert
        fontaine rousseau vincent chevalier gauthier perrin mercier boucher beaumont lemaire duval
        marchand dufour blanchard renard caron leclerc benoit charpentier moulin deschamps aubert
        guillot bertrand legrand garnier delacroix villeneuve poirier lacroix faucher thibault
    """,
    "German": """
        mueller schmidt schneider fischer weber wagner becker schulz hoffmann schaefer koch bauer richter
        klein wolf schroeder neumann schwarz zimmermann braun krueger hofmann hartmann lange schmitt
        krause lehmann schmid schulze maier koehler herrmann walter koenig mayer huber kaiser fuchs
        scholz vogel friedrich keller guenther berger winkler baumgartner
    """,
    "Italian": """
        rossi russo ferrari esposito bianchi romano colombo ricci marino greco bruno gallo conti deluca
        mancini costa giordano rizzo lombardi moretti barbieri fontana santoro mariani rinaldi caruso
        ferrara galli martini leone longo gentile martinelli vitale lombardo serra coppola desantis
        marchetti parisi villa conte ferraro bellini pellegrini
    """,
    "Japanese": """
        sato suzuki takahashi tanaka watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki
        yamaguchi matsumoto inoue kimura hayashi shimizu saito mori abe ikeda hashimoto ishikawa maeda
        fujita ogawa okada hasegawa murakami kondo ishii sakamoto endo aoki fujii nishimura fukuda ota
        miura takeuchi nakajima kaneko harada
    """,
    "Polish": """
        nowak kowalski wisniewski wojcik kowalczyk kaminski lewandowski zielinski szymanski wozniak
        dabrowski kozlowski jankowski mazur kwiatkowski krawczyk piotrowski grabowski nowakowski pawlowski
        michalski nowicki adamczyk dudek zajac wieczorek jablonski krol majewski olszewski jaworski
        wrobel malinowski pawlak witkowski walczak stepien gorski rutkowski michalak sikora ostrowski
        baran duda szewczyk
    """,
    "Russian": """
        ivanov smirnov kuznetsov popov vasiliev petrov sokolov mikhailov novikov fedorov morozov volkov
        alekseev lebedev semenov egorov pavlov kozlov stepanov nikolaev orlov andreev makarov nikitin
        zakharov zaitsev soloviev borisov yakovlev grigoriev romanov vorobiev sergeev kuzmin frolov
        alexandrov dmitriev korolev gusev kiselev ilyin maksimov polyakov sorokin vinogradov
    """,
}
