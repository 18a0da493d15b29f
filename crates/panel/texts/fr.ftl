# The texts of the panel, in French.

skip = Aller au contenu
menu = Menu
breadcrumb = Vous êtes ici
pages = Pages
page-before = Précédente
page-after = Suivante
search = Rechercher
cancel = Annuler
save = Enregistrer
create = Créer
edit = Modifier
delete = Supprimer
copy = Copier
copied = Copié
copy-of = Copier : { $name }
edit-of = Modifier { $name }
delete-of = Supprimer { $name }
created-at = Créé le { $name }

banner-success = C'est fait :
banner-danger = Ce n'est pas fait :
banner-warning = Attention :

sign-in = Se connecter
sign-out = Se déconnecter
login = Identifiant
login-help = Le nom du compte, par exemple xx11111-ovh ; pour ses utilisateurs suivi d'une barre oblique et de leur identifiant
password = Mot de passe
sign-in-wrong = L'identifiant ou le mot de passe est faux.
sign-in-too-many = { $count ->
    [one] Trop d'essais : réessayez dans une seconde.
   *[other] Trop d'essais : réessayez dans { $count } secondes.
}
sign-in-busy = Le serveur vérifie trop de mots de passe en ce moment. Réessayez dans une seconde.
sign-in-disabled = Cet identifiant est désactivé. Adressez-vous à un administrateur du compte.
session-ended = Votre session est terminée. Reconnectez-vous : rien de ce que vous avez saisi n'est perdu.
resume-title = Reprendre où vous en étiez
resume-text = Votre session s'était terminée avant cet envoi. L'envoyer maintenant ?
resume-send = Envoyer
confirm-title = Confirmez que c’est bien vous
confirm-text = Cette action est sensible, et votre dernière connexion date. Votre mot de passe suffit ; rien de ce que vous avez saisi n’est perdu.
confirm-text-code = Cette action est sensible, et votre dernière connexion date. Votre mot de passe ou un code suffit ; rien de ce que vous avez saisi n’est perdu.
confirm-send = Confirmer et envoyer

service-accounts = Comptes de service
service-accounts-intro = Un identifiant et un secret pour le code qui appelle une API. Ce qu'un compte de service peut faire est décidé par les politiques qui le nomment.
search-clients = Nom, description ou identifiant
clients-found = { $count ->
    [0] Aucun compte de service ne correspond.
    [one] Un compte de service
   *[other] { $count } comptes de service
}
clients-none = Il n'y a pas encore de compte de service. Créez-en un pour chaque programme qui appelle une API.
column-name = Nom
column-description = Description
column-policies = Politiques
column-created = Création
client-create = Créer un compte de service
client-edit = Modifier un compte de service
client-description-help = À quoi il sert, et à qui s'adresser à son sujet
client-created = { $name } est prêt
client-id = Identifiant
client-secret = Secret
secret-once = Enregistrez le secret maintenant : il ne pourra plus être affiché. Qui le perd doit créer un autre compte de service.
secret-saved = J'ai enregistré le secret
client-is-disabled = Il ne reçoit pas de jetons, et ceux qu'il avait ne sont plus valables.
client-disable = Désactiver
client-enable = Activer
client-disable-help = Un compte de service désactivé ne reçoit pas de jetons, et ceux qu'il a cessent aussitôt d'être valables. Son secret et ses politiques restent, et il peut être activé de nouveau.
client-delete-text = Son secret et tous ses jetons cessent aussitôt de fonctionner, définitivement.
client-delete-policies = { $count ->
    [one] Une politique le nomme :
   *[other] { $count } politiques le nomment :
}
client-delete-confirm = Supprimer définitivement
detach-all = Plutôt le détacher
detach-all-help = Il ne pourra plus rien faire, et vous pourrez le rattacher.
policies-none = Aucune politique ne le nomme : il ne peut rien faire.
policies-unknown = Vous ne pouvez pas lire les politiques : celles qui le nomment ne sont pas affichées.
detach = Détacher
detach-from = Détacher de { $name }
attach = Attacher
attach-to = Attacher à la politique
use = L'utiliser
use-intro = Mettez le secret dans CLIENT_SECRET, et obtenez un jeton de l'une de ces façons.

policies = Politiques
policies-intro = Une politique dit quelles identités peuvent faire quelles actions sur quelles ressources, et quand.
policies-own = Mes politiques
policies-of-server = Politiques du serveur
search-policies = Nom ou description
policy-groups = { $count ->
    [one] Un groupe de permissions
   *[other] { $count } groupes de permissions
}
policies-found = { $count ->
    [0] Aucune politique ne correspond.
    [one] Une politique
   *[other] { $count } politiques
}
policy-create = Créer une politique
policy-name-help = Lettres, chiffres, -, /, _ et +
policy-delete-text = { $count ->
    [0] Elle ne nomme personne.
    [one] Cette identité perd aussitôt ce que la politique donne :
   *[other] Ces { $count } identités perdent aussitôt ce que la politique donne :
}
policy-delete-confirm = Supprimer la politique
column-identities = Identités
column-resources = Ressources
column-actions = Actions
identities-label = URN des identités
identities-help = Une par ligne. Un autre compte est nommé par urn:v1:eu:identity:account: et son nom.
resources-label = URN des ressources et des groupes de ressources
resources-help = Une par ligne. Une * à la fin représente tout ce qui commence ainsi.
type-choose = Tous les produits
type-add = Ajouter toutes celles de ce type
resource-choose = Choisir une ressource ou un groupe
resource-add = Ajouter la ressource
allow-label = Actions autorisées
allow-help = Une par ligne, comme vps:apiovh:reboot. Une * au début ou à la fin représente n'importe quoi ; * seule autorise tout, maintenant et plus tard.
except-label = Sauf
except-help = Retire des actions de celles autorisées ci-dessus, et d'aucune autre.
deny-label = Actions interdites
deny-help = Interdites, quoi qu'autorise cette politique ou une autre.
find = Chercher des actions
find-label = Mots d'une action
actions-found = { $count ->
    [0] Aucune action n'a tous ces mots.
    [one] Une action
   *[other] { $count } actions
}
actions-add = Autoriser les actions cochées
permissions-groups = Groupes de permissions
conditions = Conditions
conditions-label = Conditions en JSON
conditions-help = Un arbre de AND, OR, NOT et MATCH, par exemple un opérateur MATCH avec la valeur test pour resource.Tag(env). Sans condition, la politique compte toujours.
expiry = Expiration
expiry-help = Une date et une heure comme 2027-12-31T23:59:59Z ; sans elle, la politique ne finit pas.
preview = Voir sans enregistrer
other-forms = La même ailleurs
json-label = JSON, comme l'API le prend
json-help = Modifiez-le ou collez-le ici, et lisez-le dans le formulaire.
json-read = Lire dans le formulaire
choice-client = Compte de service : { $name }
choice-user = Utilisateur : { $name }
choice-group = Groupe : { $name }

users = Utilisateurs
users-intro = Des personnes qui se connectent à côté du propriétaire, comme { $name }/identifiant. Ce qu'elles peuvent faire est décidé par les politiques qui les nomment, elles ou l'un de leurs groupes, et par les rôles de ceux-ci.
search-users = Identifiant, description ou adresse
users-found = { $count ->
    [0] Aucun utilisateur ne correspond.
    [one] Un utilisateur
   *[other] { $count } utilisateurs
}
user-create = Créer un utilisateur
user-login-help = Lettres, chiffres, ., _ et - ; il ne pourra plus être changé
user-password-help = Au moins 8 caractères ; l'utilisateur peut le changer
user-end = Fin d'accès
user-end-text = Qui est désactivé ou supprimé est aussitôt déconnecté. Un utilisateur désactivé peut être réactivé, sans les jetons qu'il avait ; les politiques ne nomment plus un utilisateur supprimé.
user-disable = Désactiver
user-enable = Activer
user-delete = Supprimer cet utilisateur
email = Adresse électronique
enabled = Actif
disabled = Désactivé
column-groups = Groupes
column-password = Mot de passe changé
column-status = État
column-role = Rôle
column-changed = Modification

groups = Groupes
groups-intro = Un groupe peut être nommé dans des politiques, et donne un rôle à chacun de ses membres.
group-create = Créer un groupe
group-built-in = Chaque compte a ce groupe
group-name-help = Lettres, chiffres, ., _ et - ; il ne pourra plus être changé
group-delete = Supprimer ce groupe
role-none = Aucun : seulement ce que les politiques autorisent
role-unprivileged = Lecture seule
role-regular = Tout, sauf gérer les utilisateurs
role-admin = Administrateur : tout
role-unknown = Vous ne pouvez pas lire les groupes

me-owner = Vous êtes propriétaire du compte et pouvez tout y faire. Les politiques vous connaissent comme
me-user = Les politiques vous connaissent comme
password-change = Changer le mot de passe
password-old = Mot de passe actuel
password-new = Nouveau mot de passe
password-again = Nouveau mot de passe, encore
password-help = Au moins 8 caractères. Toutes vos autres sessions se terminent.
password-wrong = Le mot de passe actuel est faux.
password-differs = Les deux nouveaux mots de passe diffèrent.
sessions = Sessions
session-began = Connexion
session-used = Dernier usage
session-from = Depuis
session-with = Avec
session-current = Celle-ci
session-end = Terminer
session-end-of = Terminer la session du { $name }

flash-client-enabled = Le compte de service peut de nouveau recevoir des jetons.
flash-client-disabled = Le compte de service est désactivé, et tous ses jetons ont pris fin.
flash-deleted = Le compte de service est supprimé.
flash-edited = Les modifications sont enregistrées.
flash-detached = Le compte de service est détaché. Vous pouvez le rattacher ci-dessous.
flash-attached = Le compte de service est attaché.
flash-password = Votre mot de passe est changé, et vos autres sessions sont terminées.
flash-session-ended = La session est terminée.
flash-user-created = L'utilisateur est créé.
flash-user-enabled = L'utilisateur peut se connecter à nouveau.
flash-user-disabled = L'utilisateur est déconnecté et ne peut plus se connecter.
flash-user-deleted = L'utilisateur est supprimé.
flash-group-created = Le groupe est créé.
flash-policy-created = La politique est créée et en vigueur.
flash-policy-deleted = La politique est supprimée.
flash-group-deleted = Le groupe est supprimé.

to-start = Retour au début
query-id = Interrogez votre administrateur au sujet de la requête
missing-actions = Ce qui manque :
forbidden-title = Vous ne pouvez pas faire cela
forbidden-text = Aucune politique ne l'autorise, ou l'une l'interdit. Demandez ce droit à un administrateur du compte.
read-only-title = Cela ne peut pas être modifié
read-only-text = Cela appartient au serveur.
not-found-title = Introuvable
not-found-text = Il n'y a rien ici, ou plus rien.
foreign-form-title = Le formulaire n'a pas été accepté
foreign-form-text = Il ne vient pas d'une page de cet espace, ou d'une page d'une session antérieure. Revenez en arrière, rechargez la page et renvoyez-le.
form-expired-title = Le formulaire a expiré
form-expired-text = Il a été conservé trop longtemps, ou pour une autre connexion. Remplissez la page à nouveau.
too-large-title = Trop à la fois
too-large-text = Le formulaire dépasse ce que le serveur accepte : 2 Mo, ou 64 Ko si vous n'êtes pas connecté.
cut-short-title = Rien n'est arrivé
cut-short-text = Le formulaire n'est pas arrivé en entier, ou pas à temps. Revenez en arrière et renvoyez-le.
busy-title = Réessayez dans un instant
busy-text = Le serveur reçoit trop en ce moment. Rien n'a été changé. Revenez en arrière et renvoyez-le.
refused-title = Cela ne peut pas être accepté
refused-text = Revenez en arrière et changez-le.
rate-limited-title = Trop de requêtes
rate-limited-text = Votre navigateur, ou le compte entier, envoie des requêtes ou des données plus vite que le serveur ne le permet. Rien n'a été modifié. Réessayez dans un instant.
unavailable-title = Réessayez dans un instant
unavailable-text = Le serveur ne peut pas joindre sa base de données, ou ne peut pas y écrire. Rien n'a été changé.
failed-title = Le serveur a échoué
failed-text = C'est notre faute, pas la vôtre. Le journal en dit plus.

logs = Journaux
logs-audit = Audit
logs-activity = Activité
logs-decisions = Décisions
equal-to-administrator = Équivaut à administrateur
logs-audit-intro = Qui a changé quoi : chaque changement du compte, liés entre eux pour qu’aucun ne puisse être altéré sans que cela se voie. Conservé sans limite.
logs-activity-intro = Quels appels de l’API et quelles pages de ce panneau ont été demandés, et par qui.
logs-decisions-intro = Ce que les politiques ont décidé, pour qui, et laquelle a décidé.
logs-days = { $count ->
    [one] Conservé un jour.
   *[other] Conservé { $count } jours.
}
logs-left-out = { $count ->
    [one] Depuis un jour, une ligne a été omise : il y en avait trop à la fois.
   *[other] Depuis un jour, { $count } lignes ont été omises : il y en avait trop à la fois.
}
logs-live = En direct
logs-download = Télécharger ces lignes
logs-none = Rien ne correspond.
column-who = Qui
column-what = Quoi
column-on = Sur quoi
column-when = Quand (UTC)
column-outcome = Issue
column-more = Plus
outcome-any = Toutes
outcome-allowed = Autorisé
outcome-refused = Refusé
reason-root = Le propriétaire peut tout faire.
reason-allowed = Une politique l’autorise.
reason-passed-on = Le compte l’a reçu, et une politique le transmet.
reason-out-of-scope = Le jeton sert à autre chose.
reason-wrong-type = Cette action n’existe pas sur les ressources de ce type.
reason-denied = Une politique l’interdit.
reason-not-allowed = Aucune politique ne l’autorise.
the-policy = La politique
details = Détails
before = Avant
after = Après
older = Plus anciens

tokens = Jetons d’accès personnels
tokens-of = Jetons d’accès personnels de { $name }
tokens-intro = Un jeton permet à un programme d’appeler l’API au nom de cet utilisateur, avec tous ses droits. Préférez un compte de service pour ce qui doit survivre à la personne.
tokens-none = Il n’y a pas de jeton.
token = Jeton
token-create = Créer un jeton
token-name-help = Lettres, chiffres, espaces, ., _, @ et - ; il ne peut plus être changé
token-expiry-help = Un nombre de jours, ou une date et une heure comme 2027-12-31T23:59:59Z ; sans cela, le jeton n’expire pas
token-once = Enregistrez le jeton maintenant : il ne pourra plus être affiché.
token-use = Envoyez-le ainsi
token-saved = J’ai enregistré le jeton
token-active = Actif
token-expired = Expiré
column-used = Dernière utilisation
flash-token-deleted = Le jeton est supprimé.

try = Essayer les politiques
try-intro = Demandez ce que les politiques décident à présent, et pourquoi. Rien n’est fait.
try-policy = Essayer cette politique
try-policy-intro = Demandez ce qui serait décidé si cette politique était enregistrée telle quelle.
try-identity = Qui
try-identity-help = L’URN d’une identité
try-action = Action
try-action-help = Par exemple vps:apiovh:reboot
try-resource = Ressource
try-resource-help = L’URN d’une ressource
try-ip = Depuis l’adresse
try-ip-help = La vôtre si le champ est vide
try-at = À
try-at-help = Une date et une heure comme 2027-12-31T23:59:59Z ; maintenant si le champ est vide
try-nobody = Aucune politique ne la nomme.
try-looked = { $count ->
    [one] Une politique a été examinée :
   *[other] { $count } politiques ont été examinées :
}
try-named = Elle nomme { $name }.
try-decided = A décidé
try-role = Le rôle d’un groupe
try-denies = interdit l’action.
try-allows = autorise l’action.
try-excepts = autorise l’action, puis la retire.
try-expired = a expiré.
try-other-resource = porte sur d’autres ressources.
try-condition-fails = a des conditions qui ne sont pas remplies.
try-other-action = porte sur d’autres actions.
changes = Ce que cela change
changes-look = Regardez ce que cela change, et enregistrez ci-dessous.
changes-none = Rien : chacun peut faire ce qu’il pouvait déjà faire.
changes-intro = Avec toutes les politiques telles qu’elles sont :
changes-conditions = Là où ses conditions sont remplies, avec toutes les politiques telles qu’elles sont :
changes-part = Il y en a plus que ce qui a pu être examiné.
changes-of-conditions = Ses conditions changent, et avec elles quand et sur quoi elle compte.
changes-on = sur
changes-gained = { $count ->
    [one] Gagne une action
   *[other] Gagne { $count } actions
}
changes-lost = { $count ->
    [one] Perd une action
   *[other] Perd { $count } actions
}
changes-save = Enregistrer ces changements
changes-lock-out = Vous ne pourriez plus changer les politiques vous-même.

used-at = Dernière utilisation { $name }
reach = Ce qu’il peut faire
reach-intro = À présent, toutes politiques confondues, et depuis aucune adresse en particulier.
reach-nothing = Rien à présent.
reach-all = { $count ->
    [one] La seule action
   *[other] Les { $count } actions
}
reach-some = { $count ->
    [one] Une action
   *[other] { $count } actions
}
recent = Ce qu’il a fait en dernier
recent-tokens = Jetons
recent-tokens-none = Il n’a demandé aucun jeton.
recent-decisions = Décisions
recent-decisions-none = Rien n’a été décidé pour lui.
recent-all = Toutes les décisions
token-issued = Délivré
token-wrong-secret = Mauvais secret

overview = Aperçu
overview-unknown = Vous ne pouvez pas lire ce qui a été décidé.
overview-time = Durée
overview-day = Dernières 24 heures
overview-days = Derniers 30 jours
overview-decisions = Décisions
overview-tokens = Jetons
overview-allowed = autorisées,
overview-refused = refusées.
overview-given-out = délivrés
overview-look = Voir celles refusées
overview-numbers = La même chose en chiffres
overview-attention = À regarder
overview-fine = Aucune politique ne se distingue.
never-used = jamais utilisé
overview-unused = { $count ->
    [one] Un compte de service n’a pas été utilisé depuis 90 jours
   *[other] { $count } comptes de service n’ont pas été utilisés depuis 90 jours
}
overview-everything = { $count ->
    [one] Une politique autorise toutes les actions, présentes et à venir
   *[other] { $count } politiques autorisent toutes les actions, présentes et à venir
}
overview-gone = { $count ->
    [one] Une politique nomme quelqu’un qui n’existe plus
   *[other] { $count } politiques nomment quelqu’un qui n’existe plus
}
overview-nobody = { $count ->
    [one] Une politique ne nomme personne
   *[other] { $count } politiques ne nomment personne
}
overview-expiring = { $count ->
    [one] Une politique prend fin dans les 30 jours
   *[other] { $count } politiques prennent fin dans les 30 jours
}
overview-expired = { $count ->
    [one] Une politique a pris fin
   *[other] { $count } politiques ont pris fin
}
overview-exact-denies = { $count ->
    [one] Une politique refuse une ressource d’une API protégée par son nom, à côté d’une autorisation de tout : une autre écriture que l’API lit de même, comme 09 pour 9, est autorisée
   *[other] { $count } politiques refusent des ressources d’une API protégée par leur nom, à côté d’une autorisation de tout : d’autres écritures que l’API lit de même, comme 09 pour 9, sont autorisées
}

me = Votre identifiant
factors = Clés d’accès et codes
factors-intro = Une clé d’accès vous connecte sans mot de passe. Les codes d’un authentificateur sont demandés après le mot de passe.
passkeys = Clés d’accès
passkeys-none = Vous n’en avez pas.
passkeys-impossible = Les navigateurs n’ont de clés d’accès que pour les serveurs qui ont un nom d’hôte : demandez à votre opérateur.
passkey-add = Ajouter une clé d’accès
passkey-intro = Votre appareil vous demande de confirmer que c’est bien vous, et garde la clé.
passkey-needs-script = Les clés d’accès nécessitent un script, que votre navigateur n’exécute pas.
passkey-name-help = Par exemple le nom de l’appareil
passkey-make = Créer la clé d’accès
passkey-use = Se connecter avec une clé d’accès
passkey-wrong = La clé d’accès n’est pas connue ici, ou cela a pris trop de temps.
totp = Authentificateur
totp-on = Les codes de votre authentificateur sont demandés.
totp-off = Aucun code n’est demandé.
totp-add = Configurer un authentificateur
totp-renew = En configurer un autre
totp-remove = Ne plus demander de codes
totp-scan = Scannez ceci avec un authentificateur, par exemple celui de votre téléphone, ou saisissez-y le secret.
totp-picture = Le secret sous forme d’image à scanner
totp-secret = Secret
totp-confirm = Demander des codes désormais
backup-codes = Codes de secours
backup-codes-once = Enregistrez ces codes maintenant : ils ne pourront plus être affichés. Chacun vous connecte une fois si vous avez perdu votre authentificateur.
backup-codes-saved = J’ai enregistré les codes
backup-codes-left = { $count ->
    [0] Il ne reste aucun code de secours.
    [one] Il reste un code de secours.
   *[other] Il reste { $count } codes de secours.
}
code = Code
code-title = Votre code
code-help = Les six chiffres que montre votre authentificateur, ou un code de secours
code-wrong = Le code est faux, ou a déjà été utilisé.
code-start-over = Recommencer
factors-reset = Retirer les clés d’accès et l’authentificateur
flash-totp-removed = Aucun code n’est plus demandé.
flash-passkey-added = La clé d’accès est ajoutée.
flash-passkey-removed = La clé d’accès est supprimée.
flash-factors-reset = Les clés d’accès et l’authentificateur de l’utilisateur sont retirés.
passkey-needed = Ce compte exige un second facteur : connectez-vous avec votre clé d’accès.
second-factor = Second facteur
second-factor-title = Configurer un second facteur
second-factor-text = Ce compte exige un second facteur en plus de votre mot de passe : une clé d’accès, ou un authentificateur qui montre des codes. Rien d’autre n’est possible ici tant que vous n’en avez pas.
second-factor-required = Un second facteur est exigé : qui se connecte sans clé d’accès ni authentificateur ne peut qu’en configurer un. Les comptes de service et les jetons d’accès personnels ne sont pas concernés.
second-factor-optional = Aucun second facteur n’est exigé du propriétaire et des utilisateurs. Avant d’en exiger un, configurez le vôtre et connectez-vous avec.
second-factor-demand = Exiger un second facteur
second-factor-stop = Ne plus l’exiger
flash-second-factor-required = Un second facteur est exigé de tous ceux qui se connectent.
flash-second-factor-optional = Un second facteur n’est plus exigé.

resource-groups = Groupes de ressources
resource-groups-intro = Des ressources que les politiques nomment ensemble. Un changement du groupe compte aussitôt dans toutes les politiques qui le nomment.
resource-group-create = Créer un groupe de ressources
resource-group-delete-text = Les politiques qui le nomment ne portent plus sur ses ressources.
group-resources-help = Une par ligne. Les motifs sont pour les politiques : un groupe liste des ressources une à une.
everything = Tout
groups-found = { $count ->
    [0] Aucun groupe ne correspond.
    [one] Un groupe
   *[other] { $count } groupes
}
permissions-groups-intro = Des permissions que les politiques nomment ensemble. Celles du serveur ne peuvent pas être changées.
permissions-group-create = Créer un groupe de permissions
permissions-group-delete-text = Les politiques qui le nomment n’en tirent plus rien.
column-owner = Propriétaire
column-type = Type
resources = Ressources
resources-intro = Ce sur quoi portent les politiques. Leurs conditions peuvent demander des étiquettes.
search-resources = Nom ou URN
resources-found = { $count ->
    [0] Aucune ressource ne correspond.
    [one] Une ressource
   *[other] { $count } ressources
}
resource-create = Enregistrer une ressource
resource-of = de { $name }
resource-urn = URN
resource-urn-help = Par exemple urn:v1:eu:resource:vps:mon-vps
resource-name-help = Le nom que les gens lui donnent ; celui de l’URN si le champ est vide
resource-delete = Oublier cette ressource
resource-delete-text = Ses étiquettes partent avec elle. Les politiques qui la nomment gardent son URN.
tag = Étiquette
tags = Étiquettes
tags-intro = Chaque étiquette avec les ressources qui la portent.
tags-own = Sans celles du système
tags-system = Avec celles du système
tags-found = { $count ->
    [0] Aucune étiquette ne correspond.
    [one] Une étiquette
   *[other] { $count } étiquettes
}
tags-none = Elle n’a pas d’étiquettes.
tags-help = Une par ligne, par exemple env:test
tag-key = Clé
tag-value = Valeur
tag-add = Ajouter l’étiquette
tag-own = Propre
tag-system = Système
flash-resource-created = La ressource est enregistrée.
flash-resource-deleted = La ressource est oubliée.

identity-find = Trouver des identités
identity-find-label = Nom d’un compte de service, d’un utilisateur ou d’un groupe
identities-found = { $count ->
    [0] Personne ne correspond.
    [one] Une identité
   *[other] { $count } identités
}
identities-add = Ajouter les identités cochées
actions-by-type = Par type de produit
actions-of-types = Nommez ci-dessus des ressources d’un type, et ses actions pourront être cochées ici.
actions-all-of = Autoriser toutes celles de { $name }
conditions-intro = La politique ne compte que là où elles sont remplies.
conditions-none = Aucune : elle compte toujours.
condition-place = Condition { $name }
condition-operator = Comment elle compte
condition-match = Tout ceci est vrai
condition-and = Toutes sont remplies
condition-or = L’une est remplie
condition-not = Aucune n’est remplie
condition-key = Ce qui est regardé
condition-value = Valeur
condition-add = Ajouter une condition
condition-add-group = Ajouter un groupe de conditions
condition-add-pair = Et aussi
condition-wrap = Mettre dans un groupe
condition-empty = Une condition ne regarde rien : remplissez-la ou retirez-la.
condition-remove = Retirer

only-never = Jamais utilisés
only-unused = Pas depuis 90 jours
attach-more = Seules quelques politiques sont listées ici ; pour en trouver une autre, voir
search-more = Autres critères
policy-names-identity = Nomme l’identité
policy-names-resource = Porte sur la ressource
policy-names-action = Autorise l’action
reach-conditional = { $count ->
    [one] dont une sous une condition qui n’est pas remplie à présent
   *[other] dont { $count } sous des conditions qui ne sont pas remplies à présent
}
