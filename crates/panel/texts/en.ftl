# The texts of the panel, in English.

skip = Skip to the content
menu = Menu
breadcrumb = Where you are
pages = Pages
page-before = Previous
page-after = Next
search = Search
cancel = Cancel
save = Save
create = Create
edit = Edit
delete = Delete
copy = Copy
copied = Copied
copy-of = Copy { $name }
edit-of = Edit { $name }
delete-of = Delete { $name }
created-at = Created { $name }

banner-success = Done:
banner-danger = Not done:
banner-warning = Note:

sign-in = Sign in
sign-out = Sign out
login = Login
login-help = The name of the account, such as xx11111-ovh; for its users with a slash and their login
password = Password
sign-in-wrong = The login or the password is wrong.
sign-in-too-many = { $count ->
    [one] Too many attempts: try again in a second.
   *[other] Too many attempts: try again in { $count } seconds.
}
sign-in-busy = The server is checking too many passwords at the moment. Please try again in a second.
sign-in-disabled = This login is disabled. Ask an administrator of the account.
session-ended = Your session has ended. Sign in again, and nothing that you typed is lost.
resume-title = Go on where you were
resume-text = Your session had ended before this was sent. Send it now?
resume-send = Send
confirm-title = Confirm that it is you
confirm-text = This is a sensitive action, and your last sign-in was some time ago. Your password is enough; nothing that you typed is lost.
confirm-text-code = This is a sensitive action, and your last sign-in was some time ago. Your password or a code is enough; nothing that you typed is lost.
confirm-send = Confirm and send

service-accounts = Service accounts
service-accounts-intro = An identifier and a secret for code that calls an API. What a service account may do is decided by the policies that name it.
search-clients = Name, description or identifier
clients-found = { $count ->
    [0] No service account fits.
    [one] One service account
   *[other] { $count } service accounts
}
clients-none = There is no service account yet. Create one for each program that calls an API.
column-name = Name
column-description = Description
column-policies = Policies
column-created = Created
client-create = Create a service account
client-edit = Edit a service account
client-description-help = What it is for, and who to ask about it
client-created = { $name } is ready
client-id = Identifier
client-secret = Secret
secret-once = Save the secret now: it cannot be shown again. Whoever loses it needs another service account.
secret-saved = I have saved the secret
client-is-disabled = It gets no tokens, and those that it had are not valid.
client-disable = Disable
client-enable = Enable
client-disable-help = A disabled service account gets no tokens, and those that it has end at once. Its secret and its policies stay, and it can be enabled again.
client-delete-text = Its secret and all its tokens stop working at once, and cannot be brought back.
client-delete-policies = { $count ->
    [one] One policy names it:
   *[other] { $count } policies name it:
}
client-delete-confirm = Delete for good
detach-all = Detach it instead
detach-all-help = It may then do nothing any more, and you can attach it again.
policies-none = No policy names it: it may do nothing.
policies-unknown = You may not read policies, so those that name it are not shown.
detach = Detach
detach-from = Detach from { $name }
attach = Attach
attach-to = Attach to the policy
use = Use it
use-intro = Put the secret into CLIENT_SECRET, and get a token with one of these.

policies = Policies
policies-intro = A policy says which identities may do which actions on which resources, and when.
policies-own = My policies
policies-of-server = Policies of the server
search-policies = Name or description
policy-groups = { $count ->
    [one] One permissions group
   *[other] { $count } permissions groups
}
policies-found = { $count ->
    [0] No policy fits.
    [one] One policy
   *[other] { $count } policies
}
policy-create = Create a policy
policy-name-help = Letters, digits, -, /, _ and +
policy-delete-text = { $count ->
    [0] It names nobody.
    [one] This identity loses what the policy gives, at once:
   *[other] These { $count } identities lose what the policy gives, at once:
}
policy-delete-confirm = Delete the policy
column-identities = Identities
column-resources = Resources
column-actions = Actions
identities-label = URNs of identities
identities-help = One a line. Another account is named by urn:v1:eu:identity:account: and its name.
resources-label = URNs of resources and resource groups
resources-help = One a line. A * at the end stands for all that begin so.
type-choose = All products
type-add = Add all of this type
resource-choose = Choose a resource or a group
resource-add = Add the resource
allow-label = Allowed actions
allow-help = One a line, such as vps:apiovh:reboot. A * at the start or at the end stands for anything; * alone allows everything, now and later.
except-label = Except
except-help = Takes actions out of those allowed above, and of no others.
deny-label = Denied actions
deny-help = Denied whatever this or any other policy allows.
find = Find actions
find-label = Words of an action
actions-found = { $count ->
    [0] No action has all these words.
    [one] One action
   *[other] { $count } actions
}
actions-add = Allow the ticked actions
permissions-groups = Permissions groups
conditions = Conditions
conditions-label = Conditions as JSON
conditions-help = A tree of AND, OR, NOT and MATCH, such as an operator MATCH with the value test for resource.Tag(env). Without any, the policy always counts.
expiry = Expiry
expiry-help = A date and time such as 2027-12-31T23:59:59Z; without one, the policy does not end.
preview = Look at it without saving
other-forms = The same elsewhere
json-label = JSON, as the API takes it
json-help = Change or paste it here, and read it into the form.
json-read = Read into the form
choice-client = Service account: { $name }
choice-user = User: { $name }
choice-group = Group: { $name }

users = Users
users-intro = People who sign in beside the owner, as { $name }/login. What they may do is decided by the policies that name them or one of their groups, and by the roles of these.
search-users = Login, description or address
users-found = { $count ->
    [0] No user fits.
    [one] One user
   *[other] { $count } users
}
user-create = Create a user
user-login-help = Letters, digits, ., _ and -; it cannot be changed later
user-password-help = At least 8 characters; the user can change it
user-end = End of access
user-end-text = Who is disabled or deleted is signed out at once. A disabled user can be enabled again, without the tokens that they had; policies name a deleted one no longer.
user-disable = Disable
user-enable = Enable
user-delete = Delete this user
email = E-mail address
enabled = Enabled
disabled = Disabled
column-groups = Groups
column-password = Password changed
column-status = Status
column-role = Role
column-changed = Changed

groups = Groups
groups-intro = A group can be named in policies, and gives each of its members a role.
group-create = Create a group
group-built-in = Every account has this group
group-name-help = Letters, digits, ., _ and -; it cannot be changed later
group-delete = Delete this group
role-none = None: only what policies allow
role-unprivileged = Read only
role-regular = Everything but managing users
role-admin = Administrator: everything
role-unknown = You may not read groups

me-owner = You are the owner of the account and may do everything in it. Policies know you as
me-user = Policies know you as
password-change = Change the password
password-old = Present password
password-new = New password
password-again = New password again
password-help = At least 8 characters. All your other sessions end.
password-wrong = The present password is wrong.
password-differs = The two new passwords differ.
sessions = Sessions
session-began = Signed in
session-used = Last used
session-from = From
session-with = With
session-current = This one
session-end = End
session-end-of = End the session of { $name }

flash-client-enabled = The service account may get tokens again.
flash-client-disabled = The service account is disabled, and all its tokens have ended.
flash-deleted = The service account is deleted.
flash-edited = The changes are saved.
flash-detached = The service account is detached. You can attach it again below.
flash-attached = The service account is attached.
flash-password = Your password is changed, and your other sessions have ended.
flash-session-ended = The session has ended.
flash-user-created = The user is created.
flash-user-enabled = The user may sign in again.
flash-user-disabled = The user is signed out and may not sign in any more.
flash-user-deleted = The user is deleted.
flash-group-created = The group is created.
flash-policy-created = The policy is created and in force.
flash-policy-deleted = The policy is deleted.
flash-group-deleted = The group is deleted.

to-start = To the start
query-id = Ask your administrator about the request
missing-actions = What is missing:
forbidden-title = You may not do this
forbidden-text = No policy allows it, or one denies it. Ask an administrator of the account for the right.
read-only-title = This cannot be changed
read-only-text = It belongs to the server.
not-found-title = Not found
not-found-text = There is nothing here, or nothing any more.
foreign-form-title = The form was not taken
foreign-form-text = It did not come from a page of this panel, or from one of an earlier session. Go back, reload the page, and send it again.
form-expired-title = The form has expired
form-expired-text = It was kept for too long, or for another sign-in. Fill in the page again.
too-large-title = Too much at once
too-large-text = The form is larger than the server accepts: 2 MB, or 64 KB if you are not signed in.
cut-short-title = It did not arrive
cut-short-text = The form did not arrive whole, or not in time. Go back and send it again.
busy-title = Try again in a moment
busy-text = The server receives too much at the moment. Nothing was changed. Go back and send it again.
refused-title = That cannot be taken
refused-text = Go back and change it.
rate-limited-title = Too many requests
rate-limited-text = Your browser, or the account as a whole, makes requests, or sends data, faster than the server allows. Nothing was changed. Please try again in a moment.
unavailable-title = Try again in a moment
unavailable-text = The server cannot reach its database, or cannot write to it. Nothing was changed.
failed-title = The server failed
failed-text = This is our fault, not yours. The log says more.

logs = Logs
logs-audit = Audit
logs-activity = Activity
logs-decisions = Decisions
equal-to-administrator = Equal to administrator
logs-audit-intro = Who changed what: every change of the account, bound together so that none can be altered unseen. Kept for good.
logs-activity-intro = Which calls of the API and which pages of this panel were asked for, and by whom.
logs-decisions-intro = What the policies decided, for whom, and which policy it was.
logs-days = { $count ->
    [one] Kept for a day.
   *[other] Kept for { $count } days.
}
logs-left-out = { $count ->
    [one] In the last day one line was left out: there were too many at once.
   *[other] In the last day { $count } lines were left out: there were too many at once.
}
logs-live = Live
logs-download = Download these lines
logs-none = Nothing fits.
column-who = Who
column-what = What
column-on = On what
column-when = When (UTC)
column-outcome = Outcome
column-more = More
outcome-any = Any
outcome-allowed = Allowed
outcome-refused = Refused
reason-root = The owner may do everything.
reason-allowed = A policy allows it.
reason-passed-on = The account was given it, and a policy passes it on.
reason-out-of-scope = The token is for something else.
reason-wrong-type = There is no such action on resources of this type.
reason-denied = A policy denies it.
reason-not-allowed = No policy allows it.
the-policy = The policy
details = Details
before = Before
after = After
older = Older

tokens = Personal access tokens
tokens-of = Personal access tokens of { $name }
tokens-intro = A token lets a program call the API in the name of this user, with all their rights. Prefer a service account for what must outlive the person.
tokens-none = There is no token.
token = Token
token-create = Create a token
token-name-help = Letters, digits, spaces, ., _, @ and -; it cannot be changed later
token-expiry-help = A number of days, or a date and time such as 2027-12-31T23:59:59Z; without one, the token does not end
token-once = Save the token now: it cannot be shown again.
token-use = Send it as
token-saved = I have saved the token
token-active = Active
token-expired = Expired
column-used = Last used
flash-token-deleted = The token is deleted.

try = Try policies
try-intro = Ask what the policies decide at present, and why. Nothing is done by it.
try-policy = Try this policy
try-policy-intro = Ask what would be decided if this policy were saved as it is above.
try-identity = Who
try-identity-help = The URN of an identity
try-action = Action
try-action-help = Such as vps:apiovh:reboot
try-resource = Resource
try-resource-help = The URN of one resource
try-ip = From the address
try-ip-help = Yours, if it is empty
try-at = At
try-at-help = A date and time such as 2027-12-31T23:59:59Z; now, if it is empty
try-nobody = No policy names them.
try-looked = { $count ->
    [one] One policy was looked at:
   *[other] { $count } policies were looked at:
}
try-named = It names { $name }.
try-decided = Decided
try-role = The role of a group
try-denies = denies the action.
try-allows = allows the action.
try-excepts = allows the action, and takes it out again.
try-expired = has expired.
try-other-resource = is about other resources.
try-condition-fails = has conditions that do not hold.
try-other-action = is about other actions.
changes = What this changes
changes-look = Look at what this changes, and save it below.
changes-none = Nothing: everybody may do what they could do before.
changes-intro = As the policies are now, all together:
changes-conditions = Where its conditions hold, as the policies are now, all together:
changes-part = There is more than could be looked at.
changes-of-conditions = Its conditions change, and with them when and on what it counts.
changes-on = on
changes-gained = { $count ->
    [one] Gains one action
   *[other] Gains { $count } actions
}
changes-lost = { $count ->
    [one] Loses one action
   *[other] Loses { $count } actions
}
changes-save = Save these changes
changes-lock-out = You could not change policies any more yourself.

used-at = Last used { $name }
reach = What it may do
reach-intro = At present, all policies together, and from no address in particular.
reach-nothing = Nothing at present.
reach-all = { $count ->
    [one] The only action
   *[other] All { $count } actions
}
reach-some = { $count ->
    [one] One action
   *[other] { $count } actions
}
recent = What it did last
recent-tokens = Tokens
recent-tokens-none = It has asked for no token.
recent-decisions = Decisions
recent-decisions-none = Nothing was decided for it.
recent-all = All decisions
token-issued = Given out
token-wrong-secret = Wrong secret

overview = Overview
overview-unknown = You may not read what was decided.
overview-time = Time
overview-day = Last 24 hours
overview-days = Last 30 days
overview-decisions = Decisions
overview-tokens = Tokens
overview-allowed = allowed,
overview-refused = refused.
overview-given-out = given out
overview-look = Look at those refused
overview-numbers = The same in numbers
overview-attention = Worth a look
overview-fine = No policy stands out.
never-used = never used
overview-unused = { $count ->
    [one] One service account was not used in the last 90 days
   *[other] { $count } service accounts were not used in the last 90 days
}
overview-everything = { $count ->
    [one] One policy allows every action, now and later
   *[other] { $count } policies allow every action, now and later
}
overview-gone = { $count ->
    [one] One policy names somebody who is gone
   *[other] { $count } policies name somebody who is gone
}
overview-nobody = { $count ->
    [one] One policy names nobody
   *[other] { $count } policies name nobody
}
overview-expiring = { $count ->
    [one] One policy ends within 30 days
   *[other] { $count } policies end within 30 days
}
overview-expired = { $count ->
    [one] One policy has ended
   *[other] { $count } policies have ended
}
overview-exact-denies = { $count ->
    [one] One policy denies a resource of a guarded API by its name, beside an allow of all: another spelling that the API reads alike, such as 09 for 9, is allowed
   *[other] { $count } policies deny resources of a guarded API by name, beside an allow of all: other spellings that the API reads alike, such as 09 for 9, are allowed
}

me = Your login
factors = Passkeys and codes
factors-intro = A passkey signs you in without a password. Codes of an authenticator are asked for after the password.
passkeys = Passkeys
passkeys-none = You have none.
passkeys-impossible = Browsers have passkeys only for servers with a host name: ask your operator.
passkey-add = Add a passkey
passkey-intro = Your device asks you to confirm that it is you, and keeps the key.
passkey-needs-script = Passkeys need a script, which your browser does not run.
passkey-name-help = Such as the name of the device
passkey-make = Make the passkey
passkey-use = Sign in with a passkey
passkey-wrong = The passkey is not known here, or it took too long.
totp = Authenticator
totp-on = Codes of your authenticator are asked for.
totp-off = No code is asked for.
totp-add = Set up an authenticator
totp-renew = Set up another one
totp-remove = Ask for no codes
totp-scan = Scan this with an authenticator such as the one on your phone, or type the secret into it.
totp-picture = The secret as a picture to scan
totp-secret = Secret
totp-confirm = Ask for codes from now on
backup-codes = Backup codes
backup-codes-once = Save these codes now: they cannot be shown again. Each signs you in once when you have lost your authenticator.
backup-codes-saved = I have saved the codes
backup-codes-left = { $count ->
    [0] No backup code is left.
    [one] One backup code is left.
   *[other] { $count } backup codes are left.
}
code = Code
code-title = Your code
code-help = The six digits that your authenticator shows, or a backup code
code-wrong = The code is wrong, or was used before.
code-start-over = Start over
factors-reset = Remove passkeys and authenticator
flash-totp-removed = No codes are asked for any more.
flash-passkey-added = The passkey is added.
flash-passkey-removed = The passkey is deleted.
flash-factors-reset = The passkeys and the authenticator of the user are removed.
passkey-needed = This account demands a second factor: sign in with your passkey.
second-factor = Second factor
second-factor-title = Set up a second factor
second-factor-text = This account demands a second factor beside your password: a passkey, or an authenticator that shows codes. Nothing else can be done here before you have one.
second-factor-required = A second factor is demanded: whoever signs in without a passkey or an authenticator can only set one up. Service accounts and personal access tokens are not affected.
second-factor-optional = No second factor is demanded of the owner and the users. Before you demand one, set up your own and sign in with it.
second-factor-demand = Demand a second factor
second-factor-stop = Demand it no longer
flash-second-factor-required = A second factor is demanded of everybody who signs in.
flash-second-factor-optional = A second factor is demanded no longer.

resource-groups = Resource groups
resource-groups-intro = Resources that policies name together. A change of a group counts at once in every policy that names it.
resource-group-create = Create a resource group
resource-group-delete-text = Policies that name it are no longer about its resources.
group-resources-help = One a line. Patterns are for policies: a group lists single resources.
everything = Everything
groups-found = { $count ->
    [0] No group fits.
    [one] One group
   *[other] { $count } groups
}
permissions-groups-intro = Permissions that policies name together. Those of the server cannot be changed.
permissions-group-create = Create a permissions group
permissions-group-delete-text = Policies that name it give nothing by it any more.
column-owner = Owner
column-type = Type
resources = Resources
resources-intro = What policies are about. Tags can be asked for in their conditions.
search-resources = Name or URN
resources-found = { $count ->
    [0] No resource fits.
    [one] One resource
   *[other] { $count } resources
}
resource-create = Register a resource
resource-of = of { $name }
resource-urn = URN
resource-urn-help = Such as urn:v1:eu:resource:vps:my-vps
resource-name-help = What people call it; the name in the URN, if it is empty
resource-delete = Forget this resource
resource-delete-text = Its tags go with it. Policies that name it keep its URN.
tag = Tag
tags = Tags
tags-intro = Every tag with the resources that have it.
tags-own = Without those of the system
tags-system = With those of the system
tags-found = { $count ->
    [0] No tag fits.
    [one] One tag
   *[other] { $count } tags
}
tags-none = It has no tags.
tags-help = One a line, such as env:test
tag-key = Key
tag-value = Value
tag-add = Add the tag
tag-own = Own
tag-system = System
flash-resource-created = The resource is registered.
flash-resource-deleted = The resource is forgotten.

identity-find = Find identities
identity-find-label = Name of a service account, a user or a group
identities-found = { $count ->
    [0] Nobody fits.
    [one] One identity
   *[other] { $count } identities
}
identities-add = Add the ticked identities
actions-by-type = By product type
actions-of-types = Name resources of some type above, and its actions can be ticked here.
actions-all-of = Allow all of { $name }
conditions-intro = The policy counts only where they hold.
conditions-none = None: it always counts.
condition-place = Condition { $name }
condition-operator = How it counts
condition-match = All of this is so
condition-and = All of these hold
condition-or = One of these holds
condition-not = None of these holds
condition-key = What is looked at
condition-value = Value
condition-add = Add a condition
condition-add-group = Add a group of conditions
condition-add-pair = And also
condition-wrap = Put it into a group
condition-empty = A condition looks at nothing: fill it in, or remove it.
condition-remove = Remove

only-never = Never used
only-unused = Not in 90 days
attach-more = Only some policies are listed here; to find another one, see
search-more = More to search by
policy-names-identity = Names the identity
policy-names-resource = Is about the resource
policy-names-action = Allows the action
reach-conditional = { $count ->
    [one] one of them under a condition that does not hold at present
   *[other] { $count } of them under conditions that do not hold at present
}
