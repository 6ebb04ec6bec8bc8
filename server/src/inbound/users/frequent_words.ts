/**
 * Words that people make passwords of, from what published counts of leaked passwords have at their top: the words
 * themselves, given names, animals, teams, brands, places, games, films, months, and what is said to a login page. What
 * people add to them (digits, a sign, a capital, a 0 for an o) is for frequent_passwords.ts to know.
 */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `
  password passwort passwd passw passphrase motdepasse contrasena parola senha haslo wachtwoord secret secrets login logon
  letmein letme welcome willkommen bienvenue changeme change default admin administrator root toor guest user username
  master access account test tester testing testtest temp temporary demo sample system server service manager security
  private public private letmeinnow openup opensesame sesame enter unlock hello hallo hola bonjour goodbye please thanks
  trustno trustme nopass nopassword mypass mypassword newpass newpassword oldpassword yourpassword thepassword
  userpass adminadmin rootroot passpass wordpass drowssap drowsap pass word qwerty qwertz azerty qwert asdf asdfg asdfgh
  zxcv zxcvb zxcvbn zxcvbnm qazwsx qazxsw qweasd qweasdzxc qwe asd zxc abcd abcde abcdef abcdefg abcdefgh
  iloveyou iloveu iloveme ilove love lovely lover lovers loveme loveyou lovelove lovelife mylove truelove babylove baby
  babygirl babyboy angel angels princess princesa prince queen king sweet sweetie sweety sweetheart honey darling
  sunshine sunny sunset summer winter spring autumn flower flowers rose butterfly rainbow moon moonlight star stars
  starlight heaven forever always happy happiness smile dream dreams dreamer beautiful beauty pretty family mother
  father mommy daddy mummy brother sister friend friends bestfriend children husband wife marriage birthday christmas
  freedom liberty peace faith hope jesus christ jesuschrist god godislove godisgood blessed blessing church bible trinity
  money dollar lucky luck winner success power energy magic wizard dragon dragons monkey monkeys donkey shadow phoenix
  tiger tigers tigger lion lions bear bears panther panthers eagle eagles falcon falcons hawk hawks wolf wolves wolfpack
  horse horses mustang mustangs bulldog bulldogs wildcat wildcats cougar cougars jaguar leopard cheetah elephant dolphin
  dolphins whale shark sharks turtle rabbit bunny kitty kitten kittens pussycat cat cats dog dogs doggie puppy hamster
  chicken rooster duck goose penguin parrot spider scorpion snake cobra viper python rattlesnake buffalo stallion pony
  squirrel beaver badger panda koala gorilla butterflies dinosaur unicorn monster vampire zombie ghost demon devil lucifer
  baseball football basketball softball volleyball soccer hockey tennis golf golfer golfing swimming swimmer cricket rugby
  lacrosse bowling boxing wrestling wrestler karate dancing dancer cheerleader cheer skater skateboard snowboard surfing
  surfer fishing fisherman hunting hunter racing racer runner running cyclist champion champions player players gamer
  yankees redsox dodgers giants cubs braves mets orioles cardinals steelers cowboys packers patriots raiders redskins
  broncos chargers chiefs vikings saints dolphins lakers celtics bulls knicks rangers flyers bruins penguins redwings
  liverpool liverpoolfc arsenal chelsea manchester manutd manchesterunited everton tottenham barcelona realmadrid juventus
  bayern dortmund schalke celtic rangersfc newcastle westham ajax benfica flamengo corinthians palmeiras galatasaray
  fenerbahce besiktas ronaldo messi beckham rooney gerrard jordan kobe lebron iverson federer nadal schumacher
  ferrari porsche mercedes corvette camaro chevrolet chevy chevelle charger challenger toyota honda hondacivic civic
  nissan mazda subaru suzuki yamaha kawasaki ducati harley harleydavidson harleyda bmw audi volkswagen jetta passat golf
  lamborghini bugatti maserati jaguar cadillac lincoln pontiac firebird dodge viper silverado wrangler explorer mustanggt
  computer computers internet network software hardware windows windowsxp microsoft google facebook twitter instagram
  linkedin youtube netflix myspace yahoo hotmail gmail apple macintosh iphone samsung galaxy nokia motorola blackberry
  android nintendo playstation xbox sega pokemon pikachu charizard mario luigi zelda sonic minecraft roblox fortnite
  warcraft worldofwarcraft starcraft counterstrike halflife callofduty diablo doom quake tekken naruto sasuke itachi
  dragonball goku vegeta bleach onepiece inuyasha evangelion gundam finalfantasy cloud sephiroth kingdomhearts
  starwars startrek skywalker lukeskywalker darthvader vader yoda anakin hansolo jedi sith voyager enterprise ncc
  matrix neo morpheus gandalf frodo aragorn legolas lordoftherings hobbit potter harrypotter hermione hogwarts dumbledore
  superman batman spiderman ironman wolverine punisher deadpool avengers hulk captainamerica joker catwoman superhero
  jamesbond bond terminator predator alien aliens rambo rocky scarface godfather gladiator braveheart titanic avatar
  simpsons homer bart southpark cartman familyguy spongebob garfield snoopy mickey mickeymouse minnie donald goofy disney
  tinkerbell tinker winnie winniethepooh poohbear hellokitty barbie scooby scoobydoo popeye tweety bugsbunny looney
  metallica nirvana slipknot korn linkinpark linkin greenday blink ramones pantera megadeth ironmaiden maiden acdc slayer
  beatles rollingstones pinkfloyd ledzeppelin zeppelin queen eminem tupac snoopdogg wutang rihanna beyonce shakira madonna
  britney elvis mozart beethoven guitar guitars drummer drums bass piano music musica musician singer rockstar rocknroll
  hiphop rapper reggae bobmarley marley punk punkrock heavymetal hardcore techno trance
  chocolate chocolat cookie cookies cupcake candy sugar cheese cheesecake banana bananas apple apples orange oranges
  cherry strawberry peaches peach lemon mango pineapple coconut pumpkin potato tomato pepper ginger cinnamon vanilla
  butter peanut peanuts popcorn pizza pasta burger hamburger bacon sausage sandwich coffee espresso cappuccino starbucks
  cocacola coke pepsi mountaindew guinness heineken budweiser corona whiskey vodka tequila jagermeister beer wine
  marlboro newport camel snickers skittles twix nutella icecream
  red blue green yellow purple orange black white pink silver gold golden brown violet indigo crimson scarlet emerald
  diamond diamonds crystal ruby sapphire platinum copper metal steel iron stone rock rocket thunder lightning storm
  stormy tornado hurricane fire firefly fireman ice iceman snow snowman snowball snowflake water river ocean beach island
  mountain forest garden desert earth planet saturn jupiter mercury venus mars apollo galaxy universe cosmos eclipse
  england scotland ireland france germany deutschland italia italy espana spain portugal brasil brazil argentina mexico
  colombia canada america american americano usa russia poland polska sweden norway denmark finland holland greece turkey
  turkiye india indian pakistan china chinese japan japanese korea thailand vietnam indonesia malaysia philippines
  australia africa nigeria london paris berlin hamburg muenchen munich vienna madrid roma milano amsterdam moscow istanbul
  newyork newyorkcity chicago boston dallas houston austin texas california florida hawaii arizona nevada vegas lasvegas
  oregon seattle denver colorado detroit michigan ohio montana dakota dakotas virginia carolina georgia alabama
  tennessee kentucky indiana alaska atlanta orlando miami philadelphia phoenix brooklyn hollywood toronto montreal
  vancouver sydney melbourne tokyo shanghai beijing singapore dubai
  january february march april may june july august september october november december monday tuesday wednesday thursday
  friday saturday sunday januar februar maerz mai juni juli oktober dezember montag freitag sommer fruehling herbst
  michael michelle jennifer jessica amanda ashley samantha nicole stephanie elizabeth melissa heather danielle brittany
  rachel rebecca victoria lauren megan hannah natalie vanessa andrea angela kimberly patricia barbara sandra christina
  christine cristina maria marie mary martha margaret susan sarah sara karen linda donna carol laura julia julie anna anne
  annie alice alicia alison alexis alexandra amber amy angelina april aurora bianca bonnie brandy brenda bridget brooke
  carmen caroline cassie catherine katherine kathryn kathleen katie charlotte chelsea cheryl chloe cindy claire claudia
  courtney crystal cynthia daisy debbie deborah diana diane elaine ellen emily emma erica erika eva evelyn fiona florence
  gabriela gabrielle grace gracie gloria hailey helen isabel isabella isabelle jackie jacqueline jane janet jasmine jenny
  jordan joanna josephine joyce judith kelly kelsey kristen kristin kristina lily lisa lindsey louise lucia lucy lydia
  mackenzie madison maggie mandy marina melanie mercedes mia miranda molly monica nancy naomi natasha nina olivia paige
  pamela paula penelope rosemary roxanne ruby sabrina sadie savannah scarlett sharon shannon shelby sierra simone sofia
  sophia sophie stella summer suzanne sylvia tamara tanya tara tatiana taylor teresa tiffany tina tracy valentina valerie
  veronica virginia vivian wendy yolanda yvonne zoe
  christopher matthew joshua andrew daniel anthony robert joseph william thomas charles richard david james john jonathan
  justin brandon nicholas benjamin alexander alexandre alejandro alex aaron adam adrian albert alberto alan allen andre
  andreas andres angelo antonio arthur austin barry bernard billy bobby brad bradley brian bruce bryan calvin cameron
  carl carlos carter chad charlie chester chris christian christoph claude clayton clifford clinton cody colin connor
  cooper corey craig curtis dakota damian danny darren dave dennis derek dexter diego dominic donald douglas dustin dylan
  eddie edgar eduardo edward edwin elijah elliott eric erik ethan eugene evan felipe felix fernando francesco francis
  francisco frank frankie franklin fred freddie frederick gabriel garrett gary gavin george gerald gilbert gordon graham
  gregory gustavo harold harris harrison harry hector henry herbert howard hunter isaac ivan jack jackson jacob jake jason
  javier jeff jeffrey jeremy jerome jerry jesse jimmy joe joel johnny johnson jorge jose juan julian julio junior keith
  kenneth kevin kyle lance larry lawrence leonard leonardo leon leslie logan louis lucas luis luke marcel marco marcos
  marcus mario mark marshall martin marvin mason maurice max maximus maxwell melvin miguel mitchell mohamed mohammed
  muhammad mustafa ahmed ali nathan nathaniel neil nelson nikolas noah norman oliver oscar owen pablo parker patrick paul
  pedro peter philip phillip pierre preston rafael ralph ramon randy raymond ricardo ricky roberto rodney rodrigo roger
  roland ronald ronnie roy russell ryan samson samuel santiago scott sean sebastian sergio shane shaun shawn simon spencer
  stanley stefan stephen steve steven stewart stuart sylvester terry theodore timothy toby todd tommy tony travis trevor
  tristan tyler vernon victor vincent walter warren wayne wesley william williams wilson winston xavier zachary
  murphy miller anderson smith jones taylor robinson rodriguez martinez gonzalez garcia hernandez lopez
  mama papa mamapapa nana abuela bubba buster buddy bailey barney bella bandit baxter boomer bubbles buttercup casper
  chloe coco cooper cuddles duke fluffy ginger gizmo harley jasper jester lady lucky maggie max midnight milo misty
  molly muffin oreo oscar patches peanut pebbles pepper precious princess pumpkin rascal rocky rosie rusty sadie sammy
  sasha scooter shadow sheba simba smokey snickers snuggles socks sophie spanky sparky spike stinky tigger toby trixie
  trouble tucker whiskers willow winston ziggy zeus
  killer killers murder sniper soldier marine marines army navy airforce airborne infantry semperfi military police
  warrior warriors knight knights ninja samurai viking pirate pirates cowboy cowgirl gangster gangsta thuglife mafia outlaw
  rebel renegade maverick ranger captain general admiral commander president doctor lawyer teacher student engineer
  engineering nurse driver trucker trucks farmer pilot airplane boeing sailor sailing captain boss bigboss bigdaddy bigboy
  bigdog bigman badboy badgirl goodgirl goodboy playboy playgirl lonewolf darkangel darkness darkside darklord nightmare
  midnight night blackcat blackjack blackbird bluesky bluebird bluemoon redhead redneck greenday whitesox goldfish
  hottie hotdog hotrod hotstuff sexy sexybitch sexygirl sexyboy sexsex sexy bitch bastard asshole fuckyou fuckme fuckoff
  fuckit fuck fucker bullshit shit shithead dickhead jackass badass dumbass smartass biteme eatme blowme suckme
  pussy boobs porno penis vagina
  stupid loser idiot crazy psycho maniac insane whatever nothing something anything everything nobody somebody someone
  noone whynot ihateyou hateyou hateme helpme killme forgetme rememberme remember forget forgot idontknow dontknow
  whocares imissyou missyou kissme hugme callme trust believe imagine inspire create creative design designer photo
  picture camera video movie movies football cinema theatre school college university academy library science physics
  chemistry biology history english spanish espanol deutsch francais mathematics business company office market marketing
  consumer customer sales finance bank banking manager director worker work working job career
  blessedbe alohomora abracadabra hocuspocus shazam supernatural twilight vampires werewolf hunger hungergames
  mustang stingray thunderbird nighthawk blackhawk tomahawk cherokee apache comanche mohawk geronimo
  letmein opensaysme access qazwsxedc asdfghjkl qwertyuiop mnbvcxz poiuytrewq lkjhgfdsa
  phpbb drupal joomla wordpress mysql oracle postgres database linux ubuntu debian redhat cisco juniper ubnt raspberry
  sallyport keycloak okta
  einstein newton darwin napoleon caesar spartan trojan achilles hercules apollo athena zeus poseidon hades odin thor loki
  atlantis avalon excalibur camelot merlin lancelot arthur guinevere valhalla ragnarok
  chance destiny genesis infinity eternity serenity harmony melody symphony rhapsody euphoria paradise nirvana karma buddha
  namaste shanti krishna ganesh shiva
  rush spitfire westside eastside freeuser freepass pearljam mistress peekaboo budlight electric stargate passport rolltide
  bollocks cardinal tarheels tarheel wolfgang billybob pavilion darkstar bobafett sterling babydoll longhorn longhorns
  presario devildog blizzard hellfire fireball goldberg wrinkle buckeye buckeyes deftones aardvark concrete marathon
  sundance stocking stockings sweetpea trombone mongoose superfly drpepper logitech stardust waterloo standard hannibal
  frontier seminole gatorade gators huskers seminoles lionking stonecold hollister abercrombie slimshady oicu
  alpha beta gamma delta omega sigma zulu echo foxtrot charlie bravo tango victor whiskey yankee
  racecar bigfoot sasquatch nessie dracula frankenstein mummy pumpkin halloween trickortreat thanksgiving
  aberdeen abnormal abrakadabra absolutely acapulco acidburn adelaide adrenalin adrienne agent aircraft albatross
  alcatraz aleksandr aleksandra alessandro alleycat alliance allison almighty alphabet alterego amateurs ambrosia
  amethyst anaconda anastasia anastasiya andersen andromeda andyod angelica angelika anhyeuem annabelle annmarie
  anonymous antelope antonina aolsucks applepie aquarius archangel arkansas armagedon armstrong ashleigh aspirine
  assassin atlantic attitude auckland augustus avalanche aviation awesome babybear babyblue babycakes babyface babylon
  backbone backdoor balloons ballsack baltimore baracuda barbados barefeet barefoot baritone barselona bcfields
  bearcats beatrice beefcake bendover benessere bergkamp berkeley bettyboop bigballs bigblock bigboobs bigbooty
  bigdicks bigmoney bigpoppa bigtruck billabong binladen bismarck bismillah bitchass blackdog blacklab blackout
  blowfish blueball bluebell blueberry blueeyes bluefish bluejays bluesman bobdylan bonehead bookworm bordeaux borussia
  bradford brewster brighton brigitte brittney broadway browning brucelee buckshot budapest building bullfrog bullseye
  bunghole buttfuck butthead butthole cabernet caliente caligula calimero callaway callisto camaross cambiami cambridge
  cameltoe campbell canadian candyass cannabis cannibal cantona capetown capitals capricorn capslock carebear carlisle
  carlitos carnival carpediem carpenter cartoons casanova cashflow cashmoney cassandra castillo catalina cavaliers
  celebrity cerberus chainsaw chambers chandler charisma charlene charlton checkers cheerleaers chemical cherries
  cheshire chestnut cheyenne chipmunk chiquita chrisbln christie chrysler chuckles citation clarence clarinet clarissa
  classics claymore clemente cleopatra cleveland clippers clitoris cocksucker coldbeer coldplay colonial coltrane
  columbia columbus commando complete concorde confused conquest constant contract cooldude coolhand coolness corleone
  cornwall costello cosworth coventry crackers crawford crazybab creampie creation creature crescent criminal cristian
  cromwell crusader cucumber cutiepie cyclones cygnusx daisydog dangerous daughter davidson daylight deadhead death
  deepthroat deeznuts deeznutz defender delaware delpiero derparol dietcoke digital dilbert dilligaf dingdong dirtbike
  discover doberman dodgeram doghouse dogpound dolemite dominion dominique doomsday doughboy download downtown
  dragonfly dragster dreamcast dreaming dutchess dynamite earnhardt earthlink eastwood eatmenow eatpussy edmonton
  eggplant ekaterina elcamino eldorado electron elements eleonora elisabeth elizaveta emmanuel enforcer enternow
  entrance erection ericsson escalade estrella everlast evolution exchange experienced fabulous fairlane faithful
  fandango fantasia fantomas farscape fastball favorite fearless feathers federico feelgood fellatio ferguson festival
  fidelity fireblade firefighter firewall fishbone fishhead flamingo fletcher flexible flipflop flipper flounder fordf
  forgetit formula forsaken fortress fountain foxylady francine francois freckles frederik fredrick freebird freefall
  freeporn freestyle friendly friendster front fuck_inside fuckface fuckhead fuckinside fuckthis fullmoon function
  funstuff fussball futurama gamecocks gamecube gameover gangbang gannibal gargoyle gateway geoffrey gertrude gesperrt
  getmoney ghostrider gigabyte gilligan giovanna giovanni giuseppe godbless godsmack godzilla gogators goldeneye
  goldfinger goldstar goldwing golfball gonzales goodluck goodtimes goodyear gorgeous gotohell graphics grateful
  greatone greedisgood greenbay gretchen greywolf gsxr guardian guillaume hairball hamilton handball handsome handyman
  happydays hardball hardcock harddick hardrock hardwood hastings hattrick hawaiian hawkeyes hayabusa hedgehog heinrich
  hellsing hellyeah helsinki herewego heritage hetfield highbury highheel highlander highlife hillbilly holidays
  holyshit homemade homepage homework honeybee hongkong honolulu hooligans hoosiers hopeless hotgirls hotpussy hounddog
  humphrey hyperion icehouse ilikepie illinois illusion ilovegod ilovepussy ilovesex immortal imperial implants
  infiniti information innocent insanity insomnia inspiron intercourse interest intrepid intruder irishman islanders
  istheman italiano jayhawks jeanette jeepster jefferson jellybean jeremiah jermaine jiggaman johannes johncena
  johndeere johngalt jonathon juliette junkmail jurassic justdoit justice kakashka blah kamikaze kamasutra kangaroo karolina katarina
  katerina kayleigh kazantip kcchiefs kenworth keyboard keystone kicksass killbill kingfisher kingkong kingston
  kirkland kissmyass kittycat kittykat kleopatra klondike knickers knockers knuckles konstantin kordell koroleva
  krasotka kristian krokodil labrador laetitia lakeside lakewood lalakers laserjet laurence leavemealone lebowski
  leedsutd lemonade lenochka lesbians letsdoit lifehack lifetime lighting limewire lineage lipstick lockdown lokomotiv
  lollipop lollypop lonesome lonestar longdong longhair longjohn lorraine loveless lowrider luckydog luckyone lunchbox
  macaroni macdaddy madagaskar madeline magazine magellan magician magnolia mailcreated majestic makaveli maksimka
  mallorca mallrats mamacita mandarin mandingo mandrake maradona marauder marcello marcius margarita marianna marianne
  marijuana mariners marino mariposa marjorie marseille maryjane maryland masamune mash masterbate masterbating
  matchbox matthias mazafaka mazdarx mcdonald mckenzie meatball meathead meatloaf mechanic medicine megapass megatron
  mephisto meredith meridian mersedes microlab microphone millenium million millwall minimoni ministry mischief misfit
  mississippi missouri mobydick modelsne mohammad mollydog monalisa monkeyboy monopoly montecarlo montgom montrose
  moonbeam moonshine morrison morrowind mortgage mortimer motherfucker motherlode motocross mudvayne mulligan
  multiplelo munchkin mushrooms mynameis myxworld nascar natedogg nathalie national naughty nautilus navigator navyseal
  nebraska netscape nevermind nevermore nightwish nineball nineinch noname normandy northern nostromo notebook
  notredame nounours nuttertools nygiants oblivion obsidian offshore oklahoma opendoor operator optimist original
  overkill overlord paintball painting paladin pallmall palmtree panasonic pancakes pantyhose papamama papillon
  paradigm paramedic paranoid parlament pasadena passwor pathetic pathfinder patience pavement penetration pentagon
  penthouse perfect personal peterbilt peterpan peterson pharmacy phialpha philippe phillies piercing pimpdaddy
  pinetree pingpong pinnacle pipeline piramida plastics platypus playball playmate playtime pleasure plymouth
  polniypizdec pool poontang porkchop pornking pornstar portland positive powerful preacher pressure pringles printing
  progress property prospect protocol pufunga puppydog question rachelle radiohead railroad rainyday raistlin rammstein
  rasputin rastaman reckless recovery redalert redbaron reddevils reddwarf reginald register reloaded remington
  republic research resident revolution revolver reynolds rhiannon riccardo richmond riffraff rightnow riverside
  roadkill roadking roadrunner roadster robotech robotics rochelle rockford rockhard rockwell romantic romashka
  ronaldinho rootbeer runescape rustydog sailboat salamander salasana salvador sandiego sandrine saratoga satan
  scheisse scissors scorpio scrabble scrapper screamer seahawks segblue seinfeld senators sentinel sergbest sergeant
  sersolution sexybabe sexylady shamrock sheepdog shepherd sheridan sherlock sherwood shitface shopping showtime
  sidekick sigmachi sinclair sinister sithlord skidoo skinhead skipper skorpion slamdunk slapshot slippery slowhand
  smackdown smashing smeghead smirnoff smoothie sneakers sniffing snowbird socrates solitude solution somerset
  sonyericsson sonyfuck sopranos soulmate southern southpaw spaceman spanking spanks sparkles speakers special specialk
  spectrum speedway splinter sporting springer sprinter srinivas stafford stanford stanislav starfire starfish starship
  stefanie stephane stickman stigmata stockton straight stranger stratford streaming strength stripper suburban
  suckdick suckmydick sullivan sundevil sunflower sunlight sunnyday super superior supernova supersonic superstar
  surprise survivor svetlana sweetness swingers swinging swordfish syncmaster syracuse tacobell taekwondo talisman
  tamerlan tampabay tazmania technics teddybear telephone temppass terminal terrapin testpass thanatos thankyou
  thebeast thedoors theforce thegreat thirteen thisisit thompson thrasher threesome thumper tiberius ticklish tigercat
  titanium titleist together tokiohotel tomorrow toonarmy toriamos touching training transfer translator traveler
  treasure treefrog triangle trinidad trinitron trooper tropical trucking trumpet tunafish ultimate umbrella underdog
  underground undertaker universal usmarine usuckballz vacation vagabond valencia valkyrie vanguard vanhalen vasilisa
  vauxhall velocity vendetta verbatim veronika viewsonic viktoria viktoriya violetta vipergts virginie vkontakte
  vladimir vladislav vqsablpzla vsjasnel wanderer wareagle warhammer washburn washington weare webhompas webmaster
  westwood wetpussy whiplash whistler whiteout wildbill wildcard wildfire wildwood windmill windsurf wireless wishbone
  wonderboy wonderful woodland woodstock yeahbaby yogibear yosemite zanzibar zerocool zildjian
  александр анастасия солнышко виктория екатерина кристина светлана приветик владимир максимка катерина вероника
  кошкакпиву александра пароль владислав валентина маргарита простотак константин мамапапа сашенька скорпион красотка
  креведко придурок ангелина настенька апельсин новыйпароль крокодил королева машенька локомотив елизавета станислав
  принцесса петрович пирамида простопароль привет анатолий мойпароль камасутра программа валентин алиночка катенька
  регистрация картошка дашенька математика ангелочек терминатор интернет василиса красавица карамелька проститутка
  доченька карандаш администратор
  1232323q ncc1701d soso123aljg 31415926 ncc1701e 11235813 1123581321 8j4ye3uz ncc1701a 15426378 73501505 sojdlg123aljg
  18436572 nwo4life kcj9wx5n r2d2c3po p0015123 1x2zkg8w 19411945 123qq123 7ugd5hip2j 9293709b13 just4fun wg8e3wjf
  cbr900rr good123654 45m2do5bs wp2003wp ghhh47hj7649 5wr2i7h8 789654123 66613666 left4dead lol12345
  `
    .split(/\s+/)
    .filter((word) => word.length >= 3),
)
