"""Who stands in the tables of the shared data, taken from their columns by hand: one person a line, in their order.

Given name, family name, company, e-mail addresses, telephone number; what all of a file have alike is in the test.
"""

# ruff: noqa: E501

GOOGLE_2019 = """
Kwame | Müller | Nordwind AB | kwame.muller0@xn--bcher-kva.example second.kwame.muller0@xn--bcher-kva.example | +49 30 1234000 | note
O'Neil | van der Berg | Acme GmbH | oneil.vanderberg1@posteo.example | +44 20 7946 0001
Quentin | Papadopoulos |  | quentin.papadopoulos2@posteo.example | +49 30 1234002
Ngozi | Dupont |  | ngozi.dupont3@firma.example | +49 30 1234003
Björn | Smith | Acme GmbH | bjorn.smith4@posteo.example | +46 70 174 0004
Søren | Nguyen | 東京商事 | sren.nguyen5@xn--bcher-kva.example | +49 30 1234005
Björn | van der Berg |  | bjorn.vanderberg6@firma.example | +44 20 7946 0006
Élise | van der Berg | Café Élysée | elise.vanderberg7@posteo.example | +44 20 7946 0007
Dmitri | Nguyen | Nordwind AB | dmitri.nguyen8@firma.example | +44 20 7946 0008
Renée | Kimani | 東京商事 | renee.kimani9@posteo.example second.renee.kimani9@posteo.example | +49 30 1234009
Priya | Sharma |  | priya.sharma10@xn--bcher-kva.example | +44 20 7946 0010 | note
Søren | Hansen | 東京商事 | sren.hansen11@example.org | +44 20 7946 0011
Zoë | García-Márquez | Smith & Sons, Ltd. | zoe.garciamarquez12@firma.example | +49 30 1234012
Quentin | Nair | Smith & Sons, Ltd. | quentin.nair13@example.org | +1 415 555 01013
Tomás | Dupont | Café Élysée | tomas.dupont14@posteo.example | +1 415 555 01014
Yuki | Mensah |  | yuki.mensah15@firma.example | +1 415 555 01015
Björn | Sharma | Data "Quote" Inc. | bjorn.sharma16@posteo.example | +44 20 7946 0016
Wanjiru | Wójcik | Nordwind AB | wanjiru.wojcik17@xn--bcher-kva.example | +1 415 555 01017
O'Neil | Dupont | Nordwind AB | oneil.dupont18@example.org second.oneil.dupont18@example.org | +1 415 555 01018
Björn | Wang | Smith & Sons, Ltd. | bjorn.wang19@example.org | +1 415 555 01019
Wanjiru | Chen |  | wanjiru.chen20@example.org | +49 30 1234020 | note
Łukasz | García-Márquez | Acme GmbH | ukasz.garciamarquez21@posteo.example | +1 415 555 01021
Giorgos | Sato | 東京商事 | giorgos.sato22@example.org | +46 70 174 0022
Mei | Chen | Café Élysée | mei.chen23@xn--bcher-kva.example | +49 30 1234023
Øystein | Chen |  | ystein.chen24@example.org | +46 70 174 0024
Jean-Luc | van der Berg | Data "Quote" Inc. | jeanluc.vanderberg25@example.org | +1 415 555 01025
Vikram | Chen | Nordwind AB | vikram.chen26@firma.example | +46 70 174 0026
Fatima | Müller | Acme GmbH | fatima.muller27@firma.example second.fatima.muller27@firma.example | +46 70 174 0027
Priya | Smith | Smith & Sons, Ltd. | priya.smith28@firma.example | +44 20 7946 0028
Ada | Müller | Data "Quote" Inc. | ada.muller29@xn--bcher-kva.example | +44 20 7946 0029
Élise | Kimani |  | elise.kimani30@posteo.example | +1 415 555 01030 | note
Mei | Chen |  | mei.chen31@xn--bcher-kva.example | +49 30 1234031
Ursula | Chen | Nordwind AB | ursula.chen32@posteo.example | +46 70 174 0032
Giorgos | Hansen | Data "Quote" Inc. | giorgos.hansen33@firma.example | +49 30 1234033
Tomás | Ångström | Café Élysée | tomas.angstrom34@posteo.example | +49 30 1234034
Renée | Иванов | Nordwind AB | renee.p35@example.org | +49 30 1234035
Jean-Luc | Papadopoulos | Smith & Sons, Ltd. | jeanluc.papadopoulos36@xn--bcher-kva.example second.jeanluc.papadopoulos36@xn--bcher-kva.example | +46 70 174 0036
Łukasz | Novák | Nordwind AB | ukasz.novak37@example.org | +1 415 555 01037
Dmitri | Jones |  | dmitri.jones38@xn--bcher-kva.example | +1 415 555 01038
Priya | Silva | Nordwind AB | priya.silva39@posteo.example | +46 70 174 0039
Xiulan | Mensah | Café Élysée | xiulan.mensah40@example.org | +1 415 555 01040 | note
Quentin | Lovelace | Café Élysée | quentin.lovelace41@firma.example | +44 20 7946 0041
Wanjiru | van der Berg | Nordwind AB | wanjiru.vanderberg42@posteo.example | +44 20 7946 0042
Wanjiru | Jones | Café Élysée | wanjiru.jones43@example.org | +44 20 7946 0043
Łukasz | Sato | 東京商事 | ukasz.sato44@firma.example | +44 20 7946 0044
Tomás | Lindqvist |  | tomas.lindqvist45@firma.example second.tomas.lindqvist45@firma.example | +46 70 174 0045
Xiulan | Lindqvist |  | xiulan.lindqvist46@firma.example | +46 70 174 0046
Łukasz | Wang | Smith & Sons, Ltd. | ukasz.wang47@posteo.example | +49 30 1234047
Priya | Yılmaz |  | priya.ylmaz48@firma.example | +44 20 7946 0048
Zoë | Wang | Nordwind AB | zoe.wang49@example.org | +44 20 7946 0049
Hana | Иванов | 東京商事 | hana.p50@firma.example | +1 415 555 01050 | note
Kwame | Papadopoulos |  | kwame.papadopoulos51@xn--bcher-kva.example | +49 30 1234051
Ursula | Wójcik |  | ursula.wojcik52@posteo.example | +49 30 1234052
Zoë | Kimani | Café Élysée | zoe.kimani53@firma.example | +1 415 555 01053
Ngozi | Lindqvist |  | ngozi.lindqvist54@example.org second.ngozi.lindqvist54@example.org | +49 30 1234054
Øystein | Chen | Café Élysée | ystein.chen55@posteo.example | +46 70 174 0055
Élise | Lovelace | Café Élysée | elise.lovelace56@firma.example | +1 415 555 01056
Tomás | Smith | Café Élysée | tomas.smith57@xn--bcher-kva.example | +44 20 7946 0057
Renée | van der Berg | Acme GmbH | renee.vanderberg58@firma.example | +49 30 1234058
Zoë | Wang |  | zoe.wang59@posteo.example | +46 70 174 0059
Jean-Luc | Papadopoulos | Smith & Sons, Ltd. | jeanluc.papadopoulos60@firma.example | +49 30 1234060 | note
Giorgos | Silva | Smith & Sons, Ltd. | giorgos.silva61@firma.example | +44 20 7946 0061
Renée | Okafor | Data "Quote" Inc. | renee.okafor62@firma.example | +49 30 1234062
Øystein | Sharma | Café Élysée | ystein.sharma63@xn--bcher-kva.example second.ystein.sharma63@xn--bcher-kva.example | +46 70 174 0063
Quentin | O'Brien | Café Élysée | quentin.obrien64@posteo.example | +1 415 555 01064
Tomás | Lovelace | Café Élysée | tomas.lovelace65@firma.example | +46 70 174 0065
Priya | Novák | Data "Quote" Inc. | priya.novak66@posteo.example | +49 30 1234066
Vikram | O'Brien | Acme GmbH | vikram.obrien67@xn--bcher-kva.example | +49 30 1234067
Hana | Papadopoulos | Nordwind AB | hana.papadopoulos68@example.org | +49 30 1234068
Quentin | Hansen |  | quentin.hansen69@posteo.example | +49 30 1234069
Kwame | Novák |  | kwame.novak70@firma.example | +44 20 7946 0070 | note
Quentin | van der Berg | Smith & Sons, Ltd. | quentin.vanderberg71@xn--bcher-kva.example | +46 70 174 0071
Renée | Papadopoulos |  | renee.papadopoulos72@xn--bcher-kva.example second.renee.papadopoulos72@xn--bcher-kva.example | +46 70 174 0072
Dmitri | Chen | Nordwind AB | dmitri.chen73@xn--bcher-kva.example | +44 20 7946 0073
Vikram | Tanaka | 東京商事 | vikram.tanaka74@xn--bcher-kva.example | +49 30 1234074
Vikram | Silva | Data "Quote" Inc. | vikram.silva75@posteo.example | +46 70 174 0075
Élise | Yılmaz | 東京商事 | elise.ylmaz76@firma.example | +1 415 555 01076
Xiulan | Иванов | Café Élysée | xiulan.p77@xn--bcher-kva.example | +1 415 555 01077
Vikram | Smith |  | vikram.smith78@firma.example | +46 70 174 0078
Quentin | Chen | 東京商事 | quentin.chen79@example.org | +1 415 555 01079
Łukasz | Mensah | Acme GmbH | ukasz.mensah80@posteo.example | +44 20 7946 0080 | note
Kwame | van der Berg | Acme GmbH | kwame.vanderberg81@xn--bcher-kva.example second.kwame.vanderberg81@xn--bcher-kva.example | +1 415 555 01081
Mei | Mensah | Nordwind AB | mei.mensah82@example.org | +49 30 1234082
Zoë | Tanaka | Smith & Sons, Ltd. | zoe.tanaka83@posteo.example | +49 30 1234083
İpek | Ångström | Café Élysée | ipek.angstrom84@firma.example | +44 20 7946 0084
O'Neil | Okafor | Café Élysée | oneil.okafor85@example.org | +1 415 555 01085
Renée | O'Brien | Nordwind AB | renee.obrien86@xn--bcher-kva.example | +44 20 7946 0086
İpek | Ångström | Nordwind AB | ipek.angstrom87@firma.example | +1 415 555 01087
İpek | Lovelace | Nordwind AB | ipek.lovelace88@posteo.example | +44 20 7946 0088
Tomás | Jones | Smith & Sons, Ltd. | tomas.jones89@firma.example | +49 30 1234089
Jean-Luc | Иванов | Data "Quote" Inc. | jeanluc.p90@xn--bcher-kva.example second.jeanluc.p90@xn--bcher-kva.example | +49 30 1234090 | note
Renée | Okafor | Acme GmbH | renee.okafor91@example.org | +46 70 174 0091
Quentin | Kimani | Café Élysée | quentin.kimani92@firma.example | +49 30 1234092
İpek | Ångström | Smith & Sons, Ltd. | ipek.angstrom93@firma.example | +46 70 174 0093
Ursula | Silva |  | ursula.silva94@firma.example | +44 20 7946 0094
Quentin | Sharma | Data "Quote" Inc. | quentin.sharma95@firma.example | +44 20 7946 0095
Zoë | Lovelace | Acme GmbH | zoe.lovelace96@example.org | +49 30 1234096
Ada | Wang | 東京商事 | ada.wang97@firma.example | +1 415 555 01097
Øystein | Иванов |  | ystein.p98@xn--bcher-kva.example | +1 415 555 01098
Quentin | Silva | Data "Quote" Inc. | quentin.silva99@firma.example second.quentin.silva99@firma.example | +46 70 174 0099
Giorgos | Smith | Data "Quote" Inc. | giorgos.smith100@firma.example | +1 415 555 01100 | note
Björn | Smith | Nordwind AB | bjorn.smith101@firma.example | +49 30 1234101
Ursula | Wang | Café Élysée | ursula.wang102@example.org | +1 415 555 01102
Björn | Dupont | 東京商事 | bjorn.dupont103@xn--bcher-kva.example | +44 20 7946 0103
Wanjiru | Silva | Café Élysée | wanjiru.silva104@posteo.example | +1 415 555 01104
Fatima | Yılmaz | Smith & Sons, Ltd. | fatima.ylmaz105@xn--bcher-kva.example | +49 30 1234105
Łukasz | Mensah | Acme GmbH | ukasz.mensah106@example.org | +46 70 174 0106
João | Papadopoulos | Acme GmbH | joao.papadopoulos107@example.org | +46 70 174 0107
Kwame | Chen | Smith & Sons, Ltd. | kwame.chen108@posteo.example second.kwame.chen108@posteo.example | +1 415 555 01108
Quentin | Weiß | Acme GmbH | quentin.wei109@firma.example | +46 70 174 0109
Chloé | Yılmaz |  | chloe.ylmaz110@posteo.example | +46 70 174 0110 | note
Søren | Ångström | Smith & Sons, Ltd. | sren.angstrom111@xn--bcher-kva.example | +49 30 1234111
João | Weiß | Café Élysée | joao.wei112@firma.example | +49 30 1234112
Vikram | Kimani |  | vikram.kimani113@xn--bcher-kva.example | +44 20 7946 0113
Élise | Silva |  | elise.silva114@firma.example | +49 30 1234114
Xiulan | Kimani | 東京商事 | xiulan.kimani115@firma.example | +49 30 1234115
Chloé | Lovelace | Data "Quote" Inc. | chloe.lovelace116@posteo.example | +46 70 174 0116
Dmitri | Chen | Acme GmbH | dmitri.chen117@xn--bcher-kva.example second.dmitri.chen117@xn--bcher-kva.example | +49 30 1234117
Ursula | van der Berg | Smith & Sons, Ltd. | ursula.vanderberg118@firma.example | +1 415 555 01118
Ada | Hansen | Nordwind AB | ada.hansen119@posteo.example | +49 30 1234119
"""
GOOGLE_2024 = """
Xiulan | Wang | Nordwind AB | xiulan.wang200@xn--bcher-kva.example | +44 20 7946 0200
Jean-Luc | Yılmaz | 東京商事 | jeanluc.ylmaz201@firma.example | +46 70 174 0201
Xiulan | Weiß |  | xiulan.wei202@xn--bcher-kva.example | +1 415 555 01202
Chloé | Nair | 東京商事 | chloe.nair203@example.org | +49 30 1234203
Chloé | Novák | Smith & Sons, Ltd. | chloe.novak204@firma.example | +44 20 7946 0204
Ursula | Wang | Acme GmbH | ursula.wang205@example.org | +46 70 174 0205
Priya | Ångström | Nordwind AB | priya.angstrom206@xn--bcher-kva.example | +44 20 7946 0206
Wanjiru | Papadopoulos | Smith & Sons, Ltd. | wanjiru.papadopoulos207@xn--bcher-kva.example | +44 20 7946 0207
Øystein | Hansen | 東京商事 | ystein.hansen208@xn--bcher-kva.example | +49 30 1234208
João | Dupont | Smith & Sons, Ltd. | joao.dupont209@xn--bcher-kva.example | +49 30 1234209
Øystein | Dupont |  | ystein.dupont210@xn--bcher-kva.example | +44 20 7946 0210
Giorgos | Papadopoulos | Café Élysée | giorgos.papadopoulos211@posteo.example | +49 30 1234211
Xiulan | O'Brien | Café Élysée | xiulan.obrien212@example.org | +44 20 7946 0212
Tomás | Smith | Data "Quote" Inc. | tomas.smith213@example.org | +49 30 1234213
Hana | Nair | Acme GmbH | hana.nair214@xn--bcher-kva.example | +1 415 555 01214
Fatima | Lovelace |  | fatima.lovelace215@xn--bcher-kva.example | +1 415 555 01215
João | Wang | Data "Quote" Inc. | joao.wang216@firma.example | +1 415 555 01216
Mei | Mensah | Acme GmbH | mei.mensah217@posteo.example | +44 20 7946 0217
Kwame | Sato | Nordwind AB | kwame.sato218@example.org | +1 415 555 01218
Giorgos | Kimani | Smith & Sons, Ltd. | giorgos.kimani219@posteo.example | +44 20 7946 0219
Łukasz | Dupont | Nordwind AB | ukasz.dupont220@xn--bcher-kva.example | +1 415 555 01220
Łukasz | Okafor | Smith & Sons, Ltd. | ukasz.okafor221@example.org | +49 30 1234221
Dmitri | Ångström | 東京商事 | dmitri.angstrom222@example.org | +46 70 174 0222
İpek | Okafor | Data "Quote" Inc. | ipek.okafor223@example.org | +46 70 174 0223
Zoë | Okafor | 東京商事 | zoe.okafor224@posteo.example | +1 415 555 01224
Xiulan | Dupont |  | xiulan.dupont225@posteo.example | +1 415 555 01225
Tomás | Sato |  | tomas.sato226@firma.example | +44 20 7946 0226
Björn | van der Berg |  | bjorn.vanderberg227@firma.example | +46 70 174 0227
Ngozi | Mensah | Smith & Sons, Ltd. | ngozi.mensah228@example.org | +44 20 7946 0228
Xiulan | Wang | 東京商事 | xiulan.wang229@example.org | +1 415 555 01229
João | Nair | Café Élysée | joao.nair230@xn--bcher-kva.example | +49 30 1234230
Ursula | García-Márquez |  | ursula.garciamarquez231@posteo.example | +46 70 174 0231
Renée | Tanaka |  | renee.tanaka232@xn--bcher-kva.example | +44 20 7946 0232
Ngozi | Müller | Nordwind AB | ngozi.muller233@firma.example | +46 70 174 0233
Fatima | Mensah | 東京商事 | fatima.mensah234@posteo.example | +44 20 7946 0234
Łukasz | Yılmaz |  | ukasz.ylmaz235@firma.example | +49 30 1234235
Mei | Okafor | Smith & Sons, Ltd. | mei.okafor236@firma.example | +1 415 555 01236
Kwame | Sato | Smith & Sons, Ltd. | kwame.sato237@posteo.example | +1 415 555 01237
Søren | Wójcik | Nordwind AB | sren.wojcik238@firma.example | +46 70 174 0238
İpek | Tanaka |  | ipek.tanaka239@xn--bcher-kva.example | +1 415 555 01239
Ngozi | Silva | Acme GmbH | ngozi.silva240@posteo.example | +46 70 174 0240
Ngozi | Kimani | Acme GmbH | ngozi.kimani241@xn--bcher-kva.example | +1 415 555 01241
Chloé | Chen | 東京商事 | chloe.chen242@xn--bcher-kva.example | +1 415 555 01242
Zoë | Иванов | Café Élysée | zoe.p243@firma.example | +46 70 174 0243
Quentin | Sharma | Nordwind AB | quentin.sharma244@posteo.example | +1 415 555 01244
Renée | Sato | Café Élysée | renee.sato245@posteo.example | +49 30 1234245
Hana | Nguyen | Café Élysée | hana.nguyen246@posteo.example | +44 20 7946 0246
Ursula | Yılmaz | Nordwind AB | ursula.ylmaz247@xn--bcher-kva.example | +49 30 1234247
Chloé | Silva | Smith & Sons, Ltd. | chloe.silva248@firma.example | +1 415 555 01248
Hana | Lindqvist | Smith & Sons, Ltd. | hana.lindqvist249@posteo.example | +49 30 1234249
Øystein | Yılmaz |  | ystein.ylmaz250@example.org | +46 70 174 0250
Quentin | Tanaka |  | quentin.tanaka251@firma.example | +49 30 1234251
Wanjiru | Weiß | Acme GmbH | wanjiru.wei252@example.org | +49 30 1234252
Giorgos | Nair | Smith & Sons, Ltd. | giorgos.nair253@xn--bcher-kva.example | +49 30 1234253
Hana | Sharma | 東京商事 | hana.sharma254@xn--bcher-kva.example | +44 20 7946 0254
Priya | Ångström | Data "Quote" Inc. | priya.angstrom255@example.org | +1 415 555 01255
Vikram | Chen | Smith & Sons, Ltd. | vikram.chen256@firma.example | +49 30 1234256
Xiulan | Jones |  | xiulan.jones257@posteo.example | +46 70 174 0257
Giorgos | Silva |  | giorgos.silva258@firma.example | +46 70 174 0258
Hana | Yılmaz |  | hana.ylmaz259@example.org | +49 30 1234259
Tomás | García-Márquez |  | tomas.garciamarquez260@firma.example | +1 415 555 01260
Vikram | Ångström | Acme GmbH | vikram.angstrom261@firma.example | +1 415 555 01261
Giorgos | Lovelace | Acme GmbH | giorgos.lovelace262@firma.example | +1 415 555 01262
Wanjiru | Ångström |  | wanjiru.angstrom263@firma.example | +1 415 555 01263
Wanjiru | Mensah | Café Élysée | wanjiru.mensah264@posteo.example | +49 30 1234264
Kwame | Papadopoulos | Acme GmbH | kwame.papadopoulos265@firma.example | +1 415 555 01265
João | Sharma | Data "Quote" Inc. | joao.sharma266@xn--bcher-kva.example | +44 20 7946 0266
Øystein | García-Márquez | Nordwind AB | ystein.garciamarquez267@posteo.example | +49 30 1234267
İpek | Dupont | Nordwind AB | ipek.dupont268@example.org | +1 415 555 01268
Renée | Sato | Data "Quote" Inc. | renee.sato269@firma.example | +1 415 555 01269
Yuki | Smith | Nordwind AB | yuki.smith270@example.org | +1 415 555 01270
Björn | Kimani | Data "Quote" Inc. | bjorn.kimani271@xn--bcher-kva.example | +46 70 174 0271
Renée | Hansen | Data "Quote" Inc. | renee.hansen272@firma.example | +44 20 7946 0272
Xiulan | Nair | 東京商事 | xiulan.nair273@posteo.example | +1 415 555 01273
Zoë | Weiß |  | zoe.wei274@xn--bcher-kva.example | +49 30 1234274
Björn | Hansen | Smith & Sons, Ltd. | bjorn.hansen275@posteo.example | +49 30 1234275
Giorgos | Wang | Data "Quote" Inc. | giorgos.wang276@posteo.example | +44 20 7946 0276
İpek | Mensah | Data "Quote" Inc. | ipek.mensah277@posteo.example | +44 20 7946 0277
İpek | Silva | Acme GmbH | ipek.silva278@posteo.example | +49 30 1234278
O'Neil | Tanaka |  | oneil.tanaka279@posteo.example | +1 415 555 01279
Yuki | Chen |  | yuki.chen280@example.org | +1 415 555 01280
Élise | Nair | Smith & Sons, Ltd. | elise.nair281@firma.example | +49 30 1234281
O'Neil | Kimani | Data "Quote" Inc. | oneil.kimani282@firma.example | +46 70 174 0282
Jean-Luc | Mensah | Nordwind AB | jeanluc.mensah283@xn--bcher-kva.example | +44 20 7946 0283
Quentin | Papadopoulos | 東京商事 | quentin.papadopoulos284@xn--bcher-kva.example | +46 70 174 0284
Ngozi | Dupont | Data "Quote" Inc. | ngozi.dupont285@posteo.example | +1 415 555 01285
Fatima | Okafor | Smith & Sons, Ltd. | fatima.okafor286@posteo.example | +49 30 1234286
Tomás | Dupont |  | tomas.dupont287@firma.example | +49 30 1234287
Priya | Kimani | 東京商事 | priya.kimani288@xn--bcher-kva.example | +46 70 174 0288
Élise | Okafor | Nordwind AB | elise.okafor289@xn--bcher-kva.example | +46 70 174 0289
Yuki | Smith | Smith & Sons, Ltd. | yuki.smith290@example.org | +44 20 7946 0290
Søren | Yılmaz | Smith & Sons, Ltd. | sren.ylmaz291@example.org | +44 20 7946 0291
Giorgos | Hansen | 東京商事 | giorgos.hansen292@firma.example | +46 70 174 0292
Hana | Müller | Data "Quote" Inc. | hana.muller293@example.org | +46 70 174 0293
Chloé | Chen | 東京商事 | chloe.chen294@example.org | +46 70 174 0294
Ursula | Lindqvist | Acme GmbH | ursula.lindqvist295@posteo.example | +1 415 555 01295
Dmitri | Lovelace |  | dmitri.lovelace296@xn--bcher-kva.example | +46 70 174 0296
Łukasz | Ångström | Nordwind AB | ukasz.angstrom297@example.org | +46 70 174 0297
Björn | Papadopoulos | Data "Quote" Inc. | bjorn.papadopoulos298@firma.example | +49 30 1234298
Quentin | Jones | Smith & Sons, Ltd. | quentin.jones299@firma.example | +1 415 555 01299
Yuki | Sato | Data "Quote" Inc. | yuki.sato300@posteo.example | +49 30 1234300
Giorgos | Ångström | Café Élysée | giorgos.angstrom301@example.org | +44 20 7946 0301
Björn | Papadopoulos | 東京商事 | bjorn.papadopoulos302@example.org | +49 30 1234302
O'Neil | Lovelace | Data "Quote" Inc. | oneil.lovelace303@example.org | +1 415 555 01303
Fatima | Novák | 東京商事 | fatima.novak304@example.org | +49 30 1234304
Björn | Lindqvist | Nordwind AB | bjorn.lindqvist305@xn--bcher-kva.example | +1 415 555 01305
Ngozi | Иванов | Nordwind AB | ngozi.p306@xn--bcher-kva.example | +46 70 174 0306
Ursula | García-Márquez |  | ursula.garciamarquez307@xn--bcher-kva.example | +44 20 7946 0307
João | Sharma | Acme GmbH | joao.sharma308@example.org | +1 415 555 01308
João | Wang |  | joao.wang309@example.org | +1 415 555 01309
Ada | Jones |  | ada.jones310@example.org | +46 70 174 0310
Xiulan | Chen |  | xiulan.chen311@firma.example | +49 30 1234311
Fatima | Okafor |  | fatima.okafor312@posteo.example | +49 30 1234312
Søren | Wójcik | Café Élysée | sren.wojcik313@xn--bcher-kva.example | +46 70 174 0313
Ada | Ångström | Nordwind AB | ada.angstrom314@firma.example | +1 415 555 01314
Søren | Novák | Café Élysée | sren.novak315@example.org | +46 70 174 0315
Łukasz | Silva | Nordwind AB | ukasz.silva316@firma.example | +46 70 174 0316
Dmitri | Chen | Smith & Sons, Ltd. | dmitri.chen317@xn--bcher-kva.example | +46 70 174 0317
Élise | Smith | Data "Quote" Inc. | elise.smith318@posteo.example | +1 415 555 01318
Björn | Novák | Café Élysée | bjorn.novak319@xn--bcher-kva.example | +49 30 1234319
"""
OUTLOOK = """
Ursula | Lindqvist | ???? | ursula.lindqvist400@firma.example | +1 415 555 01400
O'Neil | Nair | Acme GmbH | oneil.nair401@firma.example | +46 70 174 0401
Mei | O'Brien | Data "Quote" Inc. | mei.obrien402@firma.example | +1 415 555 01402
Dmitri | Müller | Acme GmbH | dmitri.muller403@firma.example | +46 70 174 0403
Renée | Smith | Nordwind AB | renee.smith404@posteo.example | +44 20 7946 0404
Mei | Novák |  | mei.novak405@xn--bcher-kva.example | +44 20 7946 0405
João | Nguyen |  | joao.nguyen406@firma.example | +1 415 555 01406
Vikram | Wójcik | Café Élysée | vikram.wojcik407@xn--bcher-kva.example | +1 415 555 01407
Ada | Lovelace | ???? | ada.lovelace408@xn--bcher-kva.example | +1 415 555 01408
Øystein | Sato |  | ystein.sato409@xn--bcher-kva.example | +46 70 174 0409
Mei | ?????? | Data "Quote" Inc. | mei.p410@posteo.example | +46 70 174 0410
Ngozi | Wójcik | Acme GmbH | ngozi.wojcik411@posteo.example | +1 415 555 01411
Björn | Weiß | Data "Quote" Inc. | bjorn.wei412@firma.example | +49 30 1234412
Yuki | Wang |  | yuki.wang413@posteo.example | +49 30 1234413
Ursula | Lindqvist | Nordwind AB | ursula.lindqvist414@firma.example | +49 30 1234414
Tomás | Wang | Café Élysée | tomas.wang415@posteo.example | +46 70 174 0415
Priya | Silva | Nordwind AB | priya.silva416@firma.example | +46 70 174 0416
O'Neil | Wójcik | Data "Quote" Inc. | oneil.wojcik417@example.org | +46 70 174 0417
Tomás | Y?lmaz | Smith & Sons, Ltd. | tomas.ylmaz418@xn--bcher-kva.example | +46 70 174 0418
Quentin | Nair | ???? | quentin.nair419@firma.example | +44 20 7946 0419
Kwame | Wójcik | Café Élysée | kwame.wojcik420@posteo.example | +46 70 174 0420
Mei | García-Márquez |  | mei.garciamarquez421@example.org | +44 20 7946 0421
Fatima | Lindqvist | Acme GmbH | fatima.lindqvist422@example.org | +49 30 1234422
Ursula | Jones | Nordwind AB | ursula.jones423@example.org | +1 415 555 01423
?pek | van der Berg | Smith & Sons, Ltd. | ipek.vanderberg424@xn--bcher-kva.example | +44 20 7946 0424
Mei | Wójcik | Data "Quote" Inc. | mei.wojcik425@firma.example | +44 20 7946 0425
Yuki | Dupont | Café Élysée | yuki.dupont426@xn--bcher-kva.example | +46 70 174 0426
Tomás | Wang | Smith & Sons, Ltd. | tomas.wang427@posteo.example | +44 20 7946 0427
João | Weiß | Acme GmbH | joao.wei428@example.org | +49 30 1234428
Hana | Müller |  | hana.muller429@example.org | +1 415 555 01429
Quentin | Wójcik |  | quentin.wojcik430@posteo.example | +46 70 174 0430
Hana | Novák | Acme GmbH | hana.novak431@posteo.example | +49 30 1234431
Ada | Nguyen | Nordwind AB | ada.nguyen432@example.org | +44 20 7946 0432
Quentin | Wójcik | Smith & Sons, Ltd. | quentin.wojcik433@firma.example | +1 415 555 01433
Søren | Müller |  | sren.muller434@firma.example | +44 20 7946 0434
Fatima | Müller | Café Élysée | fatima.muller435@posteo.example | +46 70 174 0435
Øystein | ?????? | Smith & Sons, Ltd. | ystein.p436@posteo.example | +46 70 174 0436
Mei | Lindqvist | Acme GmbH | mei.lindqvist437@example.org | +49 30 1234437
Ursula | Smith |  | ursula.smith438@example.org | +1 415 555 01438
Hana | García-Márquez | Acme GmbH | hana.garciamarquez439@posteo.example | +49 30 1234439
Renée | Lovelace | ???? | renee.lovelace440@xn--bcher-kva.example | +46 70 174 0440
Fatima | Ångström | ???? | fatima.angstrom441@posteo.example | +49 30 1234441
Élise | Okafor | Café Élysée | elise.okafor442@firma.example | +1 415 555 01442
Quentin | Silva | Acme GmbH | quentin.silva443@posteo.example | +44 20 7946 0443
Xiulan | Lindqvist |  | xiulan.lindqvist444@xn--bcher-kva.example | +49 30 1234444
Jean-Luc | Okafor |  | jeanluc.okafor445@xn--bcher-kva.example | +49 30 1234445
Fatima | Tanaka | ???? | fatima.tanaka446@posteo.example | +44 20 7946 0446
Ursula | Ångström | Smith & Sons, Ltd. | ursula.angstrom447@posteo.example | +44 20 7946 0447
Wanjiru | Ångström | Smith & Sons, Ltd. | wanjiru.angstrom448@example.org | +1 415 555 01448
João | Weiß | Acme GmbH | joao.wei449@firma.example | +49 30 1234449
Fatima | Y?lmaz | Café Élysée | fatima.ylmaz450@firma.example | +46 70 174 0450
Xiulan | Mensah | Data "Quote" Inc. | xiulan.mensah451@firma.example | +1 415 555 01451
Tomás | Tanaka |  | tomas.tanaka452@xn--bcher-kva.example | +1 415 555 01452
O'Neil | O'Brien |  | oneil.obrien453@posteo.example | +49 30 1234453
Xiulan | Tanaka |  | xiulan.tanaka454@example.org | +46 70 174 0454
Tomás | Nguyen | Café Élysée | tomas.nguyen455@posteo.example | +46 70 174 0455
Björn | Lovelace | Café Élysée | bjorn.lovelace456@posteo.example | +49 30 1234456
?ukasz | Müller | Acme GmbH | ukasz.muller457@posteo.example | +49 30 1234457
Élise | Kimani | Acme GmbH | elise.kimani458@posteo.example | +49 30 1234458
Chloé | Jones | Nordwind AB | chloe.jones459@example.org | +46 70 174 0459
Jean-Luc | Sato | ???? | jeanluc.sato460@xn--bcher-kva.example | +49 30 1234460
Giorgos | Papadopoulos | Acme GmbH | giorgos.papadopoulos461@posteo.example | +49 30 1234461
Jean-Luc | Lindqvist |  | jeanluc.lindqvist462@posteo.example | +44 20 7946 0462
Dmitri | Müller | Smith & Sons, Ltd. | dmitri.muller463@posteo.example | +46 70 174 0463
Kwame | Mensah | Acme GmbH | kwame.mensah464@xn--bcher-kva.example | +44 20 7946 0464
?ukasz | Y?lmaz | Data "Quote" Inc. | ukasz.ylmaz465@example.org | +49 30 1234465
Kwame | Sato | Acme GmbH | kwame.sato466@xn--bcher-kva.example | +44 20 7946 0466
Zoë | Okafor | Nordwind AB | zoe.okafor467@posteo.example | +1 415 555 01467
?ukasz | Nair | Nordwind AB | ukasz.nair468@posteo.example | +46 70 174 0468
Søren | Smith |  | sren.smith469@example.org | +46 70 174 0469
Ada | O'Brien | Acme GmbH | ada.obrien470@firma.example | +44 20 7946 0470
Ada | Wójcik |  | ada.wojcik471@xn--bcher-kva.example | +49 30 1234471
Wanjiru | Lindqvist | Data "Quote" Inc. | wanjiru.lindqvist472@firma.example | +1 415 555 01472
O'Neil | O'Brien | Smith & Sons, Ltd. | oneil.obrien473@example.org | +46 70 174 0473
O'Neil | Papadopoulos | Café Élysée | oneil.papadopoulos474@firma.example | +1 415 555 01474
Dmitri | Weiß | Nordwind AB | dmitri.wei475@posteo.example | +1 415 555 01475
Ursula | Mensah |  | ursula.mensah476@example.org | +49 30 1234476
Mei | Wang | Acme GmbH | mei.wang477@posteo.example | +1 415 555 01477
?ukasz | Papadopoulos |  | ukasz.papadopoulos478@example.org | +44 20 7946 0478
Renée | O'Brien | ???? | renee.obrien479@firma.example | +1 415 555 01479
Øystein | Müller | Data "Quote" Inc. | ystein.muller480@posteo.example | +44 20 7946 0480
Quentin | Müller | Café Élysée | quentin.muller481@xn--bcher-kva.example | +44 20 7946 0481
Øystein | Hansen | Café Élysée | ystein.hansen482@example.org | +46 70 174 0482
Kwame | Hansen | Smith & Sons, Ltd. | kwame.hansen483@firma.example | +46 70 174 0483
João | Sato | ???? | joao.sato484@firma.example | +46 70 174 0484
Xiulan | Mensah | ???? | xiulan.mensah485@example.org | +46 70 174 0485
Kwame | Papadopoulos | Café Élysée | kwame.papadopoulos486@example.org | +49 30 1234486
Vikram | ?????? | Café Élysée | vikram.p487@firma.example | +1 415 555 01487
Élise | Lindqvist |  | elise.lindqvist488@example.org | +44 20 7946 0488
?pek | Papadopoulos | Smith & Sons, Ltd. | ipek.papadopoulos489@posteo.example | +49 30 1234489
Giorgos | Chen | Acme GmbH | giorgos.chen490@xn--bcher-kva.example | +49 30 1234490
Mei | Jones | Smith & Sons, Ltd. | mei.jones491@xn--bcher-kva.example | +46 70 174 0491
Øystein | Lovelace |  | ystein.lovelace492@firma.example | +44 20 7946 0492
Ada | Wang |  | ada.wang493@firma.example | +1 415 555 01493
Jean-Luc | Tanaka | Nordwind AB | jeanluc.tanaka494@firma.example | +46 70 174 0494
Øystein | Okafor | Nordwind AB | ystein.okafor495@example.org | +44 20 7946 0495
Ngozi | Tanaka | Smith & Sons, Ltd. | ngozi.tanaka496@xn--bcher-kva.example | +46 70 174 0496
Jean-Luc | Okafor | Acme GmbH | jeanluc.okafor497@xn--bcher-kva.example | +1 415 555 01497
Tomás | Jones | Data "Quote" Inc. | tomas.jones498@xn--bcher-kva.example | +46 70 174 0498
Yuki | Lovelace | Nordwind AB | yuki.lovelace499@xn--bcher-kva.example | +1 415 555 01499
Björn | Y?lmaz | ???? | bjorn.ylmaz500@firma.example | +46 70 174 0500
Quentin | Wójcik | ???? | quentin.wojcik501@posteo.example | +1 415 555 01501
Wanjiru | Nair | Data "Quote" Inc. | wanjiru.nair502@posteo.example | +44 20 7946 0502
Ngozi | Wang | Café Élysée | ngozi.wang503@xn--bcher-kva.example | +46 70 174 0503
Mei | O'Brien | Acme GmbH | mei.obrien504@posteo.example | +44 20 7946 0504
?pek | Y?lmaz | Acme GmbH | ipek.ylmaz505@xn--bcher-kva.example | +1 415 555 01505
Ada | Dupont | Data "Quote" Inc. | ada.dupont506@xn--bcher-kva.example | +1 415 555 01506
Søren | Y?lmaz | Smith & Sons, Ltd. | sren.ylmaz507@posteo.example | +46 70 174 0507
Xiulan | Chen |  | xiulan.chen508@firma.example | +1 415 555 01508
Giorgos | García-Márquez | ???? | giorgos.garciamarquez509@firma.example | +49 30 1234509
Priya | Weiß | Data "Quote" Inc. | priya.wei510@firma.example | +46 70 174 0510
Vikram | Weiß | Smith & Sons, Ltd. | vikram.wei511@xn--bcher-kva.example | +1 415 555 01511
Yuki | van der Berg | Data "Quote" Inc. | yuki.vanderberg512@firma.example | +1 415 555 01512
Zoë | Jones |  | zoe.jones513@firma.example | +44 20 7946 0513
Vikram | Y?lmaz |  | vikram.ylmaz514@xn--bcher-kva.example | +46 70 174 0514
Ada | Lindqvist | ???? | ada.lindqvist515@example.org | +44 20 7946 0515
Ursula | Silva |  | ursula.silva516@example.org | +1 415 555 01516
Ngozi | Novák | Café Élysée | ngozi.novak517@posteo.example | +44 20 7946 0517
João | Jones | Nordwind AB | joao.jones518@xn--bcher-kva.example | +49 30 1234518
O'Neil | Nguyen | Data "Quote" Inc. | oneil.nguyen519@example.org | +46 70 174 0519
"""
