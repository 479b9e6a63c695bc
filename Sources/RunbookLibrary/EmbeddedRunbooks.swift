// Written by .ci/embed-runbooks from Runbooks/*.md. Change those, then run it.

/// The files of the folder Runbooks, in the order of their names.
let embeddedRunbookTexts: [String] = [
    #"""
    ---
    reason: ActionFailed
    severity: warning
    ---

    # A change failed for a reason that may pass

    ## Meaning

    Bylaw wanted to change an object and could not: the API server was away or busy, its namespace or role was not there yet, or somebody else changed the object at the same moment. It is tried again by itself.

    ## Impact

    That object is not as declared yet. Other objects are not affected.

    ## Diagnosis

    The entry holds the answer of the API server:

    ```sh
    bylaw journal list --reason ActionFailed --since 24h
    bylaw journal show SEQ
    ```

    See whether it is still so, and how the API server is:

    ```sh
    bylaw status
    kubectl get --raw /readyz
    ```

    ## Mitigation

    If it waits for a namespace or a role, declare that in the repository or create it. If the API server is unwell, help it. Bylaw goes on by itself.

    ## Undo

    Nothing was changed. If the declaration was wrong, `git revert` it.

    """#,
    #"""
    ---
    reason: ActionForbidden
    severity: critical
    ---

    # Bylaw lacks the right to make a change

    ## Meaning

    The API server answered 403: Bylaw's user may not do what the repository asks for. Mostly a role or binding grants more than its ceiling allows: Bylaw may write into a role only what it holds itself, or what it is given by the role's name.

    ## Impact

    That object is not as declared until the right is given. It is tried again when a role or binding of Bylaw's changes, every ten minutes, and with each new revision. Everything else goes on.

    ## Diagnosis

    The entry names the user and what it may not do:

    ```sh
    bylaw journal list --reason ActionForbidden --since 24h
    bylaw journal show SEQ
    ```

    See what Bylaw may do, by the bindings and by the API server's own word:

    ```sh
    bylaw can ServiceAccount:bylaw-system/bylaw
    kubectl auth can-i --list --as USER
    ```

    ## Mitigation

    See what is missing, and decide whether Bylaw is to grant that. If it is, widen the ceiling; roles that it should not be able to write are written by you. If not, take the object out of the repository.

    ```sh
    bylaw rights --for PATH --check
    bylaw rights --for PATH >ceiling.yaml
    kubectl apply -f ceiling.yaml
    bylaw rights --for PATH --roles >roles.json
    kubectl apply -f roles.json
    ```

    Where Bylaw lacks a right that it works with, as the verbs of a kind, give back `Deploy/base/rbac.yaml`:

    ```sh
    kubectl apply -f Deploy/base/rbac.yaml
    ```

    ## Undo

    If Bylaw's own rights were taken away by mistake, bring them back first: nothing else can be corrected before.

    """#,
    #"""
    ---
    reason: ActionInterrupted
    severity: info
    ---

    # A change was interrupted before its outcome was known, and settled afterwards

    ## Meaning

    Bylaw ended, was killed, or lost the answer, after it had recorded what it was about to do and before it knew the outcome. At the next start, or the next look, it looked at the object and recorded what it found.

    ## Impact

    None, as a rule: what was not done is decided anew. The entry's outcome is `succeeded` where the change had been made and `abandoned` where it had not.

    ## Diagnosis

    See what was found, and why the process ended:

    ```sh
    bylaw journal list --reason ActionInterrupted --since 24h
    bylaw journal show SEQ
    ```

    ## Mitigation

    If it happens again and again, look for the reason the process ends: memory limits, node pressure, a failing probe.

    ## Undo

    Nothing to undo.

    """#,
    #"""
    ---
    reason: ActionRejected
    severity: critical
    ---

    # The cluster refused an object for good

    ## Meaning

    The API server, an admission webhook or an admission policy refused an object that the repository declares. Trying again would not help, so Bylaw waits for a new revision, and looks again every ten minutes in case the policy changes.

    ## Impact

    That object is not as declared. Other objects are not affected.

    ## Diagnosis

    The entry holds the server's words with the fields they are about:

    ```sh
    bylaw journal list --reason ActionRejected --since 24h
    bylaw journal show SEQ
    ```

    ## Mitigation

    Correct the manifest by a pull request, or change the policy that refuses it. Try it without writing:

    ```sh
    bylaw check PATH
    kubectl apply --server-side --dry-run=server -f FILE
    ```

    ## Undo

    `git revert` the commit that declared it.

    """#,
    #"""
    ---
    reason: AdmissionControlGranted
    severity: critical
    ---

    # A subject gains the right to change what the API server admits

    ## Meaning

    The subject may write webhook configurations, admission policies or their bindings, or API services. A mutating webhook is shown every object that it asks for, Secrets in clear text included, and may change it on its way: add a container to each new pod, add a subject to a binding. It may stand outside the cluster. An API service takes over all requests of an API group.

    ## Impact

    Whoever writes them sees and changes everything that others write, without any right to those objects. Whoever deletes them switches off the policies of Kyverno, Gatekeeper and the like. A webhook that answers badly, with `failurePolicy: Fail`, can stop all writes in the cluster, Bylaw's as well.

    ## Diagnosis

    See in review what is given:

    ```sh
    bylaw diff main HEAD
    ```

    See who holds it, and what is there:

    ```sh
    bylaw who-can create mutatingwebhookconfigurations.admissionregistration.k8s.io
    bylaw who-can patch validatingadmissionpolicybindings.admissionregistration.k8s.io
    bylaw who-can create apiservices.apiregistration.k8s.io
    kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations
    kubectl get apiservices
    ```

    ## Mitigation

    - An operator that keeps the certificate of its own webhook up to date needs `update` or `patch` with `resourceNames` of that one configuration, and no `create` or `delete`.
    - Install webhooks by the pipeline of the platform, not by the operator itself.
    - Keep the operator in a namespace of its own: whoever may run pods there has this right too.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations -o yaml
    ```

    Configurations that were written stay in force after the revert. Delete those that nobody knows and bring back those that are missing. Rotate the Secrets that were written while a webhook listened, and compare the pods that were made with their templates.

    """#,
    #"""
    ---
    reason: AggregationWidened
    severity: warning
    ---

    # A label adds a role's rules to another role and to everybody who holds that

    ## Meaning

    A ClusterRole with the label `rbac.authorization.k8s.io/aggregate-to-view`, `-edit` or `-admin` set to `true` becomes a part of the ClusterRole of that name. Kubernetes copies its rules there. `edit` contains `view`, and `admin` contains `edit`, so a label for `view` reaches all three. Other aggregated roles choose by labels of their own.

    ## Impact

    Every subject of every binding to these roles gains the rules, in each namespace where it is bound, with no binding changed. Authors of charts set the label so that their kinds show up for all; a rule on Secrets or `pods/exec` in such a role is then everybody's.

    ## Diagnosis

    See in review which rules are added, and with the cluster's bindings who gains them:

    ```sh
    bylaw diff main HEAD --live
    ```

    See what the role holds now, and which roles feed it:

    ```sh
    kubectl get clusterrole view -o yaml
    kubectl get clusterroles -l rbac.authorization.k8s.io/aggregate-to-view=true
    kubectl get rolebindings,clusterrolebindings --all-namespaces -o wide
    ```

    ## Mitigation

    - Leave out the label, and bind the role to whom it is for.
    - Keep in a role for `view` only `get`, `list` and `watch` of kinds without secrets in them; put what writes into another one, for `edit`.
    - For a group of roles of your own, make an aggregated ClusterRole with a label of your own.

    Bylaw watches the label: set by hand on a declared role it is taken away again.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl get clusterrole view -o yaml
    ```

    A controller of Kubernetes writes the rules anew within seconds; check that they are gone. Where the labelled role itself is not deleted, it lives on for those who are bound to it. What was read or written meanwhile goes by the runbook of that right.

    """#,
    #"""
    ---
    reason: AnonymousGranted
    severity: critical
    ---

    # Requests without credentials, or everybody with any, gain a right

    ## Meaning

    The binding names `system:anonymous` or `system:unauthenticated`: whoever reaches the API server's address has the right, without logging in. Or it gives a right to write to `system:authenticated` or `system:serviceaccounts`: every user of every team, or every pod that has a token.

    ## Impact

    It is critical in one namespace too, because there is nobody to hold to account. An API server that is reachable from the internet is scanned for exactly this. In the audit log all of them are the one user `system:anonymous`.

    ## Diagnosis

    See in review what is given, and to whom:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:system:unauthenticated -n NAMESPACE
    bylaw can Group:system:authenticated -n NAMESPACE
    ```

    Ask the cluster itself as nobody:

    ```sh
    kubectl auth can-i --list --as system:anonymous --as-group system:unauthenticated
    ```

    Kubernetes itself gives `system:unauthenticated` only `/healthz`, `/livez`, `/readyz` and `/version`, and `system:authenticated` discovery and reviews of one's own rights besides.

    ## Mitigation

    - Bind the group or service account that needs it, by its own name.
    - For a health check or a metrics reader, give a service account and a token, or use the paths above, which are open already.
    - For one team's pods use `system:serviceaccounts:NAMESPACE`, better the one service account.
    - The API server can limit requests without credentials to its health paths, by `anonymous` in its AuthenticationConfiguration.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    New requests are refused within seconds; watches that are open run on until they end. Take everything that could be read in the meantime as public: rotate Secrets, and look for objects that nobody declared if the right was one to write.

    """#,
    #"""
    ---
    reason: ApprovalMissing
    severity: warning
    ---

    # A change waits for an approval

    ## Meaning

    The newest revision changes an object so that somebody gains a dangerous right, something opens, or a protection goes, or a namespace so that its labels take it out of a scope or into one where something would be removed, and no commit approves that. The message says what it means, names the runbook of that kind of risk, and the trailer that lets it through.

    ## Impact

    The object keeps its earlier declaration, and its drift is corrected as ever; what the revision takes away from a held role or binding is taken away, and the Pod Security modes of a held namespace that it tightens are tightened. A new object is not made, and what belongs in a new namespace waits with it. Everything else of the revision is enforced.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason ApprovalMissing --since 24h
    bylaw journal show SEQ
    ```

    See the whole meaning of the change in a clone, and which kinds of risk are held from which severity on:

    ```sh
    bylaw diff HEAD~1 HEAD --live
    bylaw guardrails
    ```

    ## Mitigation

    If it is wanted, let somebody who may approve commit the trailer that the message names; an empty commit is enough:

    ```sh
    git commit --allow-empty -m "Approve the deployers" -m "Bylaw-Approved: risky-grant RoleBinding payments/deployers by Alice Example"
    ```

    The object may be left out: then every object of that commit is meant. The trailer may also stand on the commit itself or on the merge that brings it. An approval is good for an object only as that commit declares it: a later change of the object takes another one.

    Where `--verify-commits` is on, add `-S`: the commit counts only if it is signed by an approver who did not write the change. What a commit changed that nobody signed can be approved by nobody: take it back, and bring it in again in a signed commit. The name in the trailer must be a `name` under `guardrails: approvers:` of the bylaw.yaml in force. Bylaw's log and `bylaw plan` say why a trailer does not count.

    ## Undo

    If it is not wanted, `git revert` the commit. The incident ends with the revision that no longer holds the object.

    """#,
    #"""
    ---
    reason: BindingLatent
    severity: warning
    ---

    # A binding grants nothing now, and everything once its role or subject is made

    ## Meaning

    The binding names a role or a service account that does not exist. Kubernetes accepts that and grants nothing. As soon as somebody makes a role or an account of that name, the binding takes effect, without a change to the binding and so without anybody reviewing it.

    ## Impact

    None today, except that whoever expects the right does not have it. Later, the author of the role decides what its subjects may do; writing a role asks only for the rights in it, not for a look at the bindings that wait for it. For a missing service account, whoever makes it and runs a pod as it has the rights.

    ## Diagnosis

    See in review what is missing; mostly it is a slip of the pen, or a role that was deleted and its binding forgotten:

    ```sh
    bylaw diff main HEAD --live
    kubectl get roles,serviceaccounts -n NAMESPACE
    kubectl get clusterroles
    ```

    See who could bring it to life:

    ```sh
    bylaw who-can create roles.rbac.authorization.k8s.io -n NAMESPACE
    bylaw who-can create serviceaccounts -n NAMESPACE
    ```

    ## Mitigation

    - Correct the name or the namespace. A RoleBinding finds a Role only in its own namespace.
    - Declare the role or the account in the same commit as the binding.
    - If the role is gone for good, delete the binding too.
    - If an installer makes it, declare the binding after that, and state in the manifest where the role comes from.

    `roleRef` cannot be changed in place: Bylaw deletes and makes the binding, which it records as one action.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Nothing else has to be done while the role or account has never existed. If it has, see what it allowed, and go by the runbook of that right:

    ```sh
    bylaw journal list --kind ClusterRole --name NAME
    ```

    """#,
    #"""
    ---
    reason: BreakGlassUsed
    severity: critical
    ---

    # Somebody of the break-glass group changed a managed object

    ## Meaning

    Prevention is in force, and a member of the break-glass group wrote an object with the annotation `bylaw.dev/break-glass-until`. The message says until when, and who wrote it last.

    ## Impact

    Bylaw leaves the object as it was written until that time, at most as long as `prevention: breakGlass: longest:` in bylaw.yaml allows (4 hours where it says nothing), and then puts it back. Nobody outside the group can set, change or remove the annotation.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason BreakGlassUsed --since 24h
    bylaw journal show SEQ
    ```

    ```sh
    kubectl get KIND NAME --namespace NAMESPACE -o yaml --show-managed-fields
    ```

    The API server's audit log knows the user.

    ## Mitigation

    Ask the group whether the emergency is real. If the change is to stay, bring it into the repository before the time is over. If it is over, let a member remove the annotation: Bylaw puts the object back at once.

    ## Undo

    Remove the annotation, as a member of the group:

    ```sh
    kubectl annotate KIND NAME --namespace NAMESPACE bylaw.dev/break-glass-until-
    ```

    """#,
    #"""
    ---
    reason: BroadReadGranted
    severity: warning
    ---

    # A subject gains the right to read configuration or pods widely

    ## Meaning

    `list` or `watch` on ConfigMaps or pods in the whole cluster. ConfigMaps are meant for what is no secret, yet people put passwords, tokens and kubeconfigs into them. A pod's specification holds environment variables in clear text, arguments, images, and the names of Secrets and service accounts.

    ## Impact

    It is a map of the cluster for an attacker, and often the first password. Nothing can be changed with it. As a binding for the whole cluster it covers namespaces of all teams, and those that are made later.

    ## Diagnosis

    See in review who gains it, and who has it already:

    ```sh
    bylaw diff main HEAD
    bylaw who-can list configmaps
    bylaw who-can list pods
    ```

    See whether there is something to be found:

    ```sh
    kubectl get configmaps --all-namespaces
    kubectl get pods -n NAMESPACE -o yaml
    ```

    ## Mitigation

    - Bind the role by RoleBindings in the namespaces that are meant.
    - A program that needs one ConfigMap gets `get` with its name in `resourceNames`.
    - A dashboard or a metrics exporter mostly needs pods and workloads, seldom ConfigMaps: leave those out.
    - Move what is secret into Secrets, and into pods by `secretKeyRef` or a mounted volume.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    A watch that is open runs on for some minutes, until it ends by itself. What was read stays read: change the passwords that stand in ConfigMaps or in the environment of pods.

    """#,
    #"""
    ---
    reason: CertificateApprovalGranted
    severity: critical
    ---

    # A subject gains the right to approve client certificates

    ## Meaning

    Two rights together: `update` or `patch` on `certificatesigningrequests/approval`, and `approve` on a signer. The subject can have a certificate signed for the user name and the groups that the request states. If it may also create requests, it can state any name itself.

    ## Impact

    With the signer `kubernetes.io/kube-apiserver-client` it can be any user, except that the group `system:masters` is refused. With `kubernetes.io/kube-apiserver-client-kubelet` it can be a node, and read the Secrets of the pods there. Kubernetes cannot revoke a certificate: it works until it expires, often for a year, whatever becomes of this binding.

    ## Diagnosis

    See in review what is given, and for which signers:

    ```sh
    bylaw diff main HEAD
    bylaw who-can approve signers.certificates.k8s.io
    bylaw who-can update certificatesigningrequests.certificates.k8s.io/approval
    ```

    See what was requested and approved, and by whom:

    ```sh
    kubectl get certificatesigningrequests --sort-by .metadata.creationTimestamp
    ```

    Requests are deleted an hour after their approval. After that only the audit log knows them.

    ## Mitigation

    - List the signer in `resourceNames` of the rule for `signers`: your own signer, not one below `kubernetes.io/`.
    - Let kube-controller-manager approve the certificates of kubelets; it checks who asks.
    - Have people log in through an identity provider, and approve no client certificates at all.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Certificates that were signed stay valid. Take the rights away from the user names and groups they carry. Where that cannot be done, as for nodes, only a new certificate authority for clients ends them.

    """#,
    #"""
    ---
    reason: ClusterAdminGranted
    severity: critical
    ---

    # A subject gains every right there is

    ## Meaning

    A rule with `*` for verbs, groups and resources, or a binding to `cluster-admin`, now applies to a user, group or service account. In a RoleBinding it is every right in that one namespace, its Secrets, roles and pods included.

    ## Impact

    For the whole cluster: the subject reads every Secret, runs code on every node, and changes or removes any policy, Bylaw's own binding included. Nothing in this repository holds it back any more. If it is a service account, the same is true of everybody who may run a pod in its namespace.

    ## Diagnosis

    See in review which binding and rule it is, and who could do the same before:

    ```sh
    bylaw diff main HEAD
    bylaw who-can '*' '*.*'
    ```

    Later, see when it came, by which commit, and what the subject may do:

    ```sh
    bylaw journal list --kind ClusterRoleBinding --name NAME
    bylaw can ServiceAccount:NAMESPACE/NAME
    kubectl get clusterrolebindings -o wide
    ```

    ## Mitigation

    - Ask which calls are needed, and write a role with those verbs and resources.
    - For one team, bind `admin` or `edit` by a RoleBinding in its namespace, not by a ClusterRoleBinding.
    - For an installer or operator, take the role that its authors publish, and give it a service account and a namespace of its own.
    - For emergencies, bind a group that is empty until somebody is put into it.

    The group `system:masters` has every right whatever the bindings say; it cannot be narrowed here.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Deleting the binding by hand does not last: Bylaw makes it again. The revert does not undo what was done meanwhile. Rotate the Secrets that could be read, look for roles, bindings, webhooks and pods that nobody declared, and treat the nodes as open to the subject for that time.

    """#,
    #"""
    ---
    reason: ClusterRewound
    severity: critical
    ---

    # The cluster's history went back, as after a restore of its database

    ## Meaning

    A list came with an older version than what was seen before. The cluster's database was restored from a backup, or the address now leads to another cluster.

    ## Impact

    Objects may be back that were deleted, and others gone. Everything is compared with the enforced revision anew and corrected.

    ## Diagnosis

    See when it was noticed, and what was corrected since:

    ```sh
    bylaw journal list --reason ClusterRewound --since 24h
    bylaw journal list --since 1h
    bylaw status
    kubectl get namespaces --sort-by .metadata.creationTimestamp
    ```

    ## Mitigation

    Confirm with whoever runs the control plane that a restore was made. Objects that came back and carry no proof of being ours are reported as PruneUnproven: look at each.

    ## Undo

    Nothing to undo.

    """#,
    #"""
    ---
    reason: ClusterUnreachable
    severity: critical
    ---

    # The cluster's API cannot be reached or read

    ## Meaning

    A list or watch fails: the API server is away, refuses Bylaw's credentials, or Bylaw may not read one of the kinds it manages. A failed read never counts as an empty cluster.

    ## Impact

    Drift of the kinds concerned is not seen until the watch is back. Nothing is deleted on what cannot be read.

    ## Diagnosis

    ```sh
    kubectl get --raw /readyz
    kubectl auth can-i list roles --all-namespaces --as USER
    bylaw journal list --reason ClusterUnreachable --since 1h
    bylaw journal show SEQ
    ```

    ## Mitigation

    Help the API server, renew the credentials, or give back the rights of `Deploy/base/rbac.yaml`. Bylaw goes on by itself and then compares everything anew.

    ## Undo

    Nothing to undo.

    """#,
    #"""
    ---
    reason: CommitSignatureBad
    severity: critical
    ---

    # A commit's signature does not fit it

    ## Meaning

    The signature was made for something else, was changed, or cannot be read in one way only. A tag that was signed under another name or for another commit counts as this too.

    ## Impact

    The untrusted revision is refused. The last trusted one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason CommitSignatureBad --since 24h
    bylaw journal show SEQ
    ```

    In a clone; an SSH signature needs the file, an OpenPGP one the key in your own key ring:

    ```sh
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS log --show-signature -5
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS verify-commit COMMIT
    ```

    ## Mitigation

    Treat it as an attack on the repository until you know better: compare the commit with the author's own clone, and look at who pushed it. Then take it off the branch.

    ## Undo

    Move the branch back to the last trusted commit.

    """#,
    #"""
    ---
    reason: CommitUnsigned
    severity: critical
    ---

    # A commit is not signed

    ## Meaning

    `--verify-commits` asks for signatures, and the newest commit, or with `all` one since the last trusted one, has none.

    ## Impact

    The untrusted revision is refused. The last trusted one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason CommitUnsigned --since 24h
    bylaw journal show SEQ
    ```

    In a clone; an SSH signature needs the file, an OpenPGP one the key in your own key ring:

    ```sh
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS log --show-signature -5
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS verify-commit COMMIT
    ```

    ## Mitigation

    Find out who pushed it: the Git host's log knows. If it is wanted, let somebody whose key is listed sign. With `--verify-commits head` a signed commit on top is enough, also an empty one or a merge:

    ```sh
    git commit --allow-empty -S -m "Sign what was pushed"
    ```

    With `all`, each commit since the last trusted one needs a signature of its own:

    ```sh
    git rebase --rebase-merges --exec 'git commit --amend --no-edit -S' TRUSTED
    git push --force-with-lease
    ```

    If it is not wanted, take it off the branch and protect the branch.

    ## Undo

    Move the branch back to the last trusted commit; `bylaw status` shows it.

    """#,
    #"""
    ---
    reason: ConfigurationHeld
    severity: warning
    ---

    # A change of bylaw.yaml waits for an approval

    ## Meaning

    The newest revision changes bylaw.yaml so that it protects less than before (`configuration-loosened`: a lower setting of a risk, a larger deletion budget, scopes that close less, more exclusions, more instances that are spared, more objects given up in fights, fewer protected objects or managed kinds, a new approver, prevention switched off or with more exemptions), or so that objects would be removed that were left alone (`scope-enforced`).

    ## Impact

    The configuration that was in force stays in force, for this very revision too: a commit cannot lift a guardrail and use it. Objects that the revision declares are judged by the old one.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason ConfigurationHeld --since 24h
    bylaw journal show SEQ
    ```

    What would be removed if a scope were enforced shows as undeclared while that scope is in mode `report`, so report it first:

    ```sh
    bylaw plan
    bylaw journal list --reason UndeclaredObject
    ```

    ## Mitigation

    Look at each undeclared object first: declare it, exclude it, or let it go. Then approve what the message names; where the change does both, it takes both trailers:

    ```sh
    git commit --allow-empty -m "Leave the operator alone" -m "Bylaw-Approved: configuration-loosened by Alice Example"
    git commit --allow-empty -m "Close the production namespaces" -m "Bylaw-Approved: scope-enforced by Alice Example"
    ```

    Scopes that were closed before and close again by a revert wait only where more than undeclared bindings would be removed.

    With `--verify-commits` the approver must stand in the bylaw.yaml in force. Where none does, nobody can approve: only whoever runs Bylaw can let it take the commit, once, with `--verify-commits off`. Then the trailers of the newest commit count, whoever wrote them: see with `bylaw plan --verify-commits off` first what they let through.

    ## Undo

    `git revert` the change of bylaw.yaml. Once a scope was enforced, taking that back loosens, and takes `configuration-loosened`. What was removed meanwhile comes back with `bylaw journal restore SEQ`, or by declaring it.

    """#,
    #"""
    ---
    reason: ConfigurationRefused
    severity: warning
    ---

    # A changed configuration is not in force

    ## Meaning

    An alert and a line of the log, and no entry of the journal: nothing in the cluster depends on it. The file of `--config` was changed while `bylaw run` works, as by an update of its ConfigMap. What it holds now could not be taken: a flag that there is not, a value that cannot be, flags that contradict each other, a file that is named and cannot be read, or a port that another process has. The configuration from before stays in force as a whole.

    ## Impact

    Bylaw enforces and records as before. What the change was to bring is missing, such as another folder of the repository or keys whose signatures count. A new start with this file would be refused: until it is corrected, a pod that is moved or restarted does not come back.

    ## Diagnosis

    The last line with "configuration" in the log says what is wrong, and the file is what the ConfigMap holds:

    ```sh
    kubectl get pods -n NAMESPACE
    kubectl get configmaps -o yaml -n NAMESPACE
    ```

    ## Mitigation

    Correct the ConfigMap or the file, or put the earlier one back; `bylaw run --help` lists the flags and what each of them takes. What is there is taken within seconds (a mounted ConfigMap is up to two minutes late, and a file that is no ConfigMap has to stay the same for ten seconds), and at once on SIGHUP; the log says when it is taken.

    ## Undo

    Nothing to undo: nothing was changed.

    """#,
    #"""
    ---
    reason: ControllerDown
    severity: critical
    ---

    # No Bylaw works

    ## Meaning

    An alert only: whoever would record it is not there. No process has told Prometheus that it runs, or none of those that run may change the cluster. Bylaw was stopped or cannot start, no process could become the leader, or Prometheus does not reach the port of `--status-listen`.

    ## Impact

    Drift is neither seen nor undone, and new revisions are not applied. What the cluster holds stays as it is; what is enforced by the API server itself stays enforced.

    ## Diagnosis

    First whether it runs, then why not: the last lines of its log, or of the log of the container before, say what it waits for or why it ended.

    ```sh
    kubectl get pods -n NAMESPACE
    kubectl describe pods -n NAMESPACE
    kubectl get events -n NAMESPACE
    kubectl get leases -n NAMESPACE
    bylaw status
    ```

    Where it runs, ask it by its address what is missing: `/readyz?verbose` names each check. If that answers and Prometheus has nothing, look at Prometheus' targets, at the NetworkPolicy in front of the port, and at its certificate.

    ## Mitigation

    Remove the cause and let it start: the volume of the journal, the credentials, the rights of `Deploy/base/rbac.yaml`. It compares everything anew when it starts and undoes what was changed meanwhile. If it cannot be started soon and something has to be revoked now, revoke it with `kubectl` and in the repository as well.

    ## Undo

    Nothing to undo. Afterwards look at what was changed in the meantime:

    ```sh
    bylaw journal list --reason DriftCorrected --since 1h
    ```

    """#,
    #"""
    ---
    reason: DefaultServiceAccountBound
    severity: warning
    ---

    # The service account of pods that name none is given rights

    ## Meaning

    Every namespace has a service account `default`, and a pod that names none runs as it. A binding to it so gives the right to every such pod of the namespace: the one it was meant for, the database beside it, and whatever somebody starts there tomorrow. Kubernetes mounts its token unless that is switched off.

    ## Impact

    A hole in any of those pods has these rights. They cannot be told apart in the audit log, and nobody will dare to take the right away later, because nobody knows which pod needs it. How grave it is depends on the right; that is a finding of its own.

    ## Diagnosis

    See in review what is given:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/default -n NAMESPACE -f PATH
    ```

    See which pods have it:

    ```sh
    kubectl get pods -n NAMESPACE --field-selector spec.serviceAccountName=default
    bylaw can ServiceAccount:NAMESPACE/default -n NAMESPACE
    ```

    ## Mitigation

    Declare a service account for the one workload that needs the right, bind that, and name it in the workload:

    - `spec.template.spec.serviceAccountName` in a Deployment; the pods are made anew by that.
    - `automountServiceAccountToken: false` on `default`, so that pods which name no account get no token.

    The other way round is useful too: before the binding goes, move the workload over.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Pods keep their token, and it allows only what is bound from then on. Pods that were started for the sake of the right keep running. If the right was one to read Secrets or to run pods, go by its runbook as well.

    """#,
    #"""
    ---
    reason: DeletionBlocked
    severity: warning
    ---

    # An object is being deleted, and finalizers hold it

    ## Meaning

    Somebody asked for the deletion of an object, or Bylaw did because Git no longer declares it, but the object carries finalizers. Until they are gone it stays, and it keeps its full effect: a binding still grants, a policy still allows.

    ## Impact

    A revoked right may still be in force. A declared object is kept as declared until it is gone, and is then made anew.

    ## Diagnosis

    See which finalizers hold it, and who set them:

    ```sh
    kubectl get KIND NAME -n NAMESPACE -o yaml
    bylaw journal list --reason DeletionBlocked --since 24h
    bylaw journal list --name NAME --since 24h
    ```

    ## Mitigation

    Let the controller that owns the finalizer finish its work. Where nobody owns it, take it away:

    ```sh
    kubectl patch KIND NAME -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":null}}'
    ```

    Finalizers on RBAC objects and NetworkPolicies are unusual: find out who set them before you take them away.

    ## Undo

    A deletion that was asked for cannot be taken back. Declare the object in Git, and it is made anew when the old one is gone.

    """#,
    #"""
    ---
    reason: DeletionBudgetExceeded
    severity: critical
    ---

    # A revision deletes more than the budget allows

    ## Meaning

    The newest revision no longer declares more objects than one revision may delete, by number or by share. It may be a moved folder, a bad merge, or a large clean-up.

    ## Impact

    Nothing of what it no longer declares is deleted; those objects are kept as they were declared, and what a binding among them grants stays granted. Everything else of the revision is enforced.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason DeletionBudgetExceeded --since 24h
    bylaw journal show SEQ
    ```

    See all of them:

    ```sh
    bylaw plan
    git diff --stat --diff-filter=DR HEAD~1 HEAD
    ```

    ## Mitigation

    If it was a mistake, `git revert` the commit. If it is wanted, approve it, for all or object by object:

    ```sh
    git commit --allow-empty -m "Approve the clean-up" -m "Bylaw-Approved: deletion-budget by Alice Example"
    ```

    A `git revert` that brings back a state that was in force needs no approval for bindings, for roles that nobody is bound to and for policies that isolate no pod: what is held of a revert is something else, such as quotas, service accounts or roles that are still bound.

    A right that must go now can go first, with a trailer that names its object, as `Bylaw-Approved: deletion-budget RoleBinding payments/deployers by Alice Example`. The budget itself is `guardrails: deletions:` in bylaw.yaml.

    ## Undo

    Nothing was deleted. Once approved, `git revert` declares the objects again and they are made anew.

    """#,
    #"""
    ---
    reason: DestructiveRightGranted
    severity: warning
    ---

    # A subject gains the right to delete in bulk or to lift limits

    ## Meaning

    `deletecollection` removes all objects of a kind in a namespace with one request, and no `resourceNames` limit it, because such a request carries no name. Deleting events removes traces. A write on a `scale` subresource sets a workload to zero replicas. A write on ResourceQuotas or LimitRanges lifts what keeps one team from taking the whole cluster.

    ## Impact

    Loss of data and outage, not theft: nothing of this reads a Secret or becomes somebody else. Deleted volume claims may take their data with them, as the reclaim policy says. With lifted limits a single team can starve the nodes.

    ## Diagnosis

    See in review which of these it is:

    ```sh
    bylaw diff main HEAD
    bylaw who-can deletecollection persistentvolumeclaims -n NAMESPACE
    bylaw who-can patch deployments.apps/scale -n NAMESPACE
    bylaw who-can patch resourcequotas -n NAMESPACE
    ```

    Later, see what was put back and what is missing:

    ```sh
    bylaw journal list --kind ResourceQuota -n NAMESPACE --since 24h
    kubectl get deployments,statefulsets,persistentvolumeclaims -n NAMESPACE
    ```

    ## Mitigation

    - Give `delete` with `resourceNames` in place of `deletecollection`.
    - For an autoscaler of one workload list that workload in `resourceNames` of the `scale` rule.
    - Declare quotas and limits here, and give nobody else the right to write them.
    - Set the reclaim policy of volumes that matter to `Retain`.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Quotas, limits, roles and policies that this repository declares Bylaw makes anew. Workloads, claims and their data do not come back by themselves: restore them from their own sources and backups. Replicas stay as they were set until the owner of the workload sets them again. Deleted events are gone.

    """#,
    #"""
    ---
    reason: DriftCorrected
    severity: info
    ---

    # Somebody changed a declared object by hand, and it was put back

    ## Meaning

    An object that the repository declares was changed, deleted or relabelled by something other than Bylaw. Bylaw put it back to what the enforced revision declares, within moments.

    ## Impact

    For the time between the change and the correction the cluster was not as declared. The entry's times say how long that was. A workload that was admitted in between stays.

    ## Diagnosis

    See what was changed, by whom as far as the object tells, and what it was before:

    ```sh
    bylaw journal list --reason DriftCorrected --since 24h
    bylaw journal show SEQ
    ```

    The actor is the field manager's name, which any client can choose: it is a claim, not a proof. The API server's audit log has the user.

    ## Mitigation

    If the change was meant, make it in the repository by a pull request. If it was not, find out who holds the rights to make it:

    ```sh
    kubectl get rolebindings,clusterrolebindings --all-namespaces -o wide
    ```

    ## Undo

    To keep the change that was made by hand, declare it in the repository. `bylaw journal show SEQ` prints the object as it was in between.

    """#,
    #"""
    ---
    reason: DriftCorrectionFailed
    severity: critical
    ---

    # A declared object differs from Git and could not be put back

    ## Meaning

    Somebody changed a declared object, and the API server did not let Bylaw put it back, or did not answer. It is tried again, less and less often, up to every five minutes.

    ## Impact

    The cluster is not as declared at that object until this is solved. Everything else is enforced as usual.

    ## Diagnosis

    Read what the server said, and compare:

    ```sh
    bylaw journal list --reason DriftCorrectionFailed --since 24h
    bylaw journal show SEQ
    bylaw plan --repo URL --path PATH
    ```

    ## Mitigation

    If the API server is overloaded or away, help it first. If a policy or webhook refuses the change, correct that policy. If the object cannot be changed any more, delete it by hand; Bylaw makes it anew:

    ```sh
    kubectl delete KIND NAME --namespace NAMESPACE
    ```

    ## Undo

    Nothing was changed, so there is nothing to undo.

    """#,
    #"""
    ---
    reason: DriftFight
    severity: warning
    ---

    # Another writer keeps changing the same object

    ## Meaning

    An object had to be put back many times within minutes. Something else writes it as well: a second GitOps tool, a Helm release, an operator, or a script.

    ## Impact

    The object flips between two states. Bylaw goes on correcting it, with pauses of up to 5 seconds, so the other writer's state is in force for part of the time.

    ## Diagnosis

    The entries name the other writer as far as the object tells:

    ```sh
    bylaw journal list --reason DriftFight --since 24h
    bylaw journal list --reason DriftCorrected --since 1h
    bylaw journal show SEQ
    kubectl get KIND NAME --namespace NAMESPACE -o yaml
    ```

    ## Mitigation

    Decide who owns the object. Either stop the other writer, or declare what it wants. Do not just remove the object from the policy repository: Bylaw then deletes it from the cluster. Where the other writer is to win, list the object under `fights: yield:` in bylaw.yaml, with a commit that carries `Bylaw-Approved: configuration-loosened by NAME`.

    ## Undo

    Bring the manifest back with `git revert` if it turns out that Bylaw should own the object after all.

    """#,
    #"""
    ---
    reason: EscalationPathOpened
    severity: critical
    ---

    # A subject can become a stronger one

    ## Meaning

    No single right of the change may look dangerous, but together with what is there it makes a chain. The subject can take over another one, by running a pod with its service account, making a token of it, reading it from a Secret or impersonating it, and so on, up to somebody with a critical right over the whole cluster. The finding shows the shortest chain, a line for each step.

    ## Impact

    Take the subject to be as strong as the end of the chain. So is everybody who can use its credentials, for a service account everybody who may run pods in its namespace. The chain follows RBAC only: Pod Security or an admission policy may stand in the way of a step.

    ## Diagnosis

    See in review the steps, and which of them is new:

    ```sh
    bylaw diff main HEAD --live
    bylaw can ServiceAccount:NAMESPACE/NAME -f PATH
    ```

    Look at each link in the cluster:

    ```sh
    bylaw who-can create pods -n NAMESPACE
    bylaw who-can create serviceaccounts/token -n NAMESPACE
    kubectl get rolebindings -n NAMESPACE -o wide
    kubectl get clusterrolebindings -o wide
    ```

    ## Mitigation

    Break the chain where it is cheapest:

    - Move the strong service account to a namespace where the subject has no rights. That mends every chain through it.
    - Narrow what the strong account may do: operators seldom need it in the whole cluster.
    - Take the step away from the subject: no `create` of pods, no Secrets, `resourceNames` on tokens and impersonation.

    Then run `bylaw diff` again: the next shortest chain may show.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    It closes the chain for new steps. Whoever has walked it holds something that stays: a token until it expires, a pod until it is deleted, a Secret until it is rotated, a binding of his own until somebody removes it. Look for each along the steps of the finding.

    """#,
    #"""
    ---
    reason: ExtensionWriteGranted
    severity: warning
    ---

    # A subject gains the right to write what operators with strong rights act on

    ## Meaning

    An operator does with its own rights what an object asks for. An Argo CD Application or a Flux Kustomization applies manifests from any repository, mostly with the rights of cluster-admin. A Kyverno PolicyException switches a policy off. A cert-manager Certificate has a key signed for a name. Writing a CustomResourceDefinition is over all objects of that kind: deleting it deletes them, and its conversion webhook sees them.

    ## Impact

    The subject has the operator's rights in effect, though no role says so, and the audit log shows the operator. How far that goes depends on the operator's settings, not on RBAC alone.

    ## Diagnosis

    See in review which kinds are given, and where:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:NAME -n NAMESPACE -f PATH
    ```

    See who may write them, and what the operator may do:

    ```sh
    bylaw who-can create applications.argoproj.io -n argocd
    bylaw who-can create kustomizations.kustomize.toolkit.fluxcd.io -n NAMESPACE
    bylaw can ServiceAccount:NAMESPACE/OPERATOR
    ```

    ## Mitigation

    - Argo CD: an AppProject per team, with its repositories, namespaces and kinds; nobody but the platform writes in `argocd`.
    - Flux: require `spec.serviceAccountName`, with an account of the team's namespace and only its rights.
    - Kyverno: exceptions only in one namespace that the security team owns. cert-manager: an Issuer per namespace in place of a ClusterIssuer.
    - Leave CustomResourceDefinitions to whoever installs the operator.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Objects that were written stay, and the operator goes on acting on them. List the newest ones and delete those that nobody knows; some operators delete what they made with the object, others leave it.

    ```sh
    kubectl get applications.argoproj.io --all-namespaces --sort-by .metadata.creationTimestamp
    ```

    """#,
    #"""
    ---
    reason: ExternalEgressOpened
    severity: warning
    ---

    # Pods can newly reach addresses outside the cluster

    ## Meaning

    A rule lets pods out to the internet, to the metadata service of the cloud (169.254.169.254), or to addresses of nodes or of the API server. Mostly it is an `ipBlock` of `0.0.0.0/0` without `except`, or a rule without `to`, which means every address.

    ## Impact

    A program that was taken over can send data out and fetch its tools. From the metadata service it may get the node's cloud credentials, which are often far stronger than the pod's own. An `ipBlock` may match pods and nodes too, so `0.0.0.0/0` can also open paths inside the cluster; that depends on the network plugin.

    ## Diagnosis

    See in review which pods and addresses it is, and by which rule:

    ```sh
    bylaw diff main HEAD --live
    ```

    Later, ask the cluster for the internet and for the metadata service:

    ```sh
    bylaw reach NAMESPACE/ external
    bylaw reach NAMESPACE/ 169.254.169.254/32
    kubectl get networkpolicies -n NAMESPACE -o yaml
    ```

    ## Mitigation

    - Name the ranges and ports that the program needs. Where these are names, not addresses, send it through a proxy and allow the proxy only.
    - Where it must be the internet, put `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` and `169.254.0.0/16` into `except`. Another rule may allow an excepted address again: look at all policies of the pod.
    - IPv6 needs its own item; `0.0.0.0/0` does not speak of it.
    - Have the cloud require session tokens of one hop for its metadata service.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Connections that are open may go on; that is up to the network plugin. Start the pods anew to end them. Data that left does not come back. If the metadata service could be reached, rotate the credentials of the node's role.

    """#,
    #"""
    ---
    reason: ExternalIngressOpened
    severity: critical
    ---

    # Pods can newly be reached from outside the cluster

    ## Meaning

    A rule lets addresses outside the cluster in: an `ipBlock` such as `0.0.0.0/0` or `::/0`, or a rule without `from`, or with an empty one, which means everybody and not nobody. A `namespaceSelector: {}` does not: that is all pods of the cluster and nothing else.

    ## Impact

    By policy the pods are open to the internet. Whether a packet gets there depends on the way in: a Service of type LoadBalancer or NodePort, an Ingress, `hostPort`, or a network where pod addresses are routed. Whether the policy sees the client's address or that of a node depends on the network plugin and on `externalTrafficPolicy`, so a narrow `ipBlock` may also let in more than it says.

    ## Diagnosis

    See in review which pods, ports and addresses it is, and by which rule:

    ```sh
    bylaw diff main HEAD --live
    ```

    See which doors there are:

    ```sh
    kubectl get services,ingresses -n NAMESPACE -o wide
    bylaw reach external NAMESPACE/
    ```

    ## Mitigation

    - Let traffic from outside come through the ingress controller, and allow only that: its namespace by `kubernetes.io/metadata.name` and its pods by their label.
    - Name the ports. A rule without `ports` opens all of them, metrics and debugging included.
    - Narrow `ipBlock` to the ranges that are meant, one item for IPv4 and one for IPv6.
    - Set the quota of `services.loadbalancers` and `services.nodeports` to 0 in namespaces that publish nothing.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    New connections are refused once the plugin has the policy. Those that are open may go on; that is up to the plugin. Start the pods anew to be sure, and read their access logs for the time in between.

    """#,
    #"""
    ---
    reason: FetchFailed
    severity: warning
    ---

    # The policy repository could not be read

    ## Meaning

    Bylaw could not fetch from the Git server: it is away, answers wrongly, refuses the credentials, is not the server it should be, no longer has the followed branch, or the commit has no folder of the name that `--path` gives.

    ## Impact

    The last good revision stays enforced and drift is corrected. New commits are not seen until this is solved.

    ## Diagnosis

    The message says which step failed:

    ```sh
    bylaw journal list --reason FetchFailed --since 24h
    bylaw journal show SEQ
    bylaw status
    git ls-remote URL
    ```

    ## Mitigation

    Refused credentials: replace the token or key file; Bylaw reads it with each fetch. Unknown certificate: give the authority with `--git-ca-file`. Changed host key: find out why before you change the known-hosts file.

    ## Undo

    Nothing to undo.

    """#,
    #"""
    ---
    reason: HistoryRewritten
    severity: warning
    ---

    # The followed branch no longer contains the revision that was enforced

    ## Meaning

    Somebody pushed a rewritten history (`git push --force`), or Bylaw was told to follow another branch or tag. The new revision is sound and is enforced.

    ## Impact

    The commits between are no longer in the repository's history, so the repository alone no longer explains what was in force. The journal does.

    ## Diagnosis

    Compare the two revisions that the entry names:

    ```sh
    bylaw journal list --reason HistoryRewritten --since 24h
    bylaw journal show SEQ
    git log --oneline NEW
    git show OLD
    ```

    ## Mitigation

    Protect the branch against force pushes at the Git server. If the push was not meant, push the old history again.

    ## Undo

    Restore the branch:

    ```sh
    git push --force-with-lease origin OLD:BRANCH
    ```

    """#,
    #"""
    ---
    reason: HoldActive
    severity: warning
    ---

    # Somebody holds the enforced revision for a while

    ## Meaning

    Somebody set an emergency hold with `bylaw hold`. The revision that it names stays enforced until the hold's end, at most 24 hours; newer ones are judged and wait. The incident ends with the hold, which ends by itself.

    ## Impact

    What was merged meanwhile is not in force, be it a mistake or a fix. Drift is put right as ever, towards the held revision. The hold approves nothing: what would have loosened something on the way back is held by the guardrails.

    ## Diagnosis

    The revision, the end, the reason, who set it by its own word, and what waits:

    ```sh
    bylaw status
    bylaw hold
    bylaw journal list --reason HoldBegan --since 48h
    bylaw journal list --reason HoldChanged --since 48h
    ```

    Who wrote the ConfigMap last, as far as the object tells; the API server's audit log knows the user:

    ```sh
    kubectl get configmap bylaw-hold-default --namespace bylaw-system -o yaml
    ```

    ## Mitigation

    Ask whoever set it whether the revert is under way (`bylaw rollback` makes one), and merge it before the hold ends: at its end the newest revision is enforced. Where nobody knows of it, end it, and look at who may write the ConfigMap:

    ```sh
    kubectl auth can-i patch configmaps/bylaw-hold-default --namespace bylaw-system --as USER
    ```

    ## Undo

    End the hold. The newest revision is enforced with the next look at the repository:

    ```sh
    bylaw hold --end --because "REASON"
    ```

    """#,
    #"""
    ---
    reason: HoldRefused
    severity: critical
    ---

    # An emergency hold is not honoured as it stands

    ## Meaning

    Either the ConfigMap of holds has something that is no hold for this Bylaw (unreadable, for another instance or cluster, longer than 24 hours), or the revision of a hold cannot be enforced: it was never accepted here, is not in the history of the followed branch, is not valid or not trusted, or would lock Bylaw out. The message says which.

    ## Impact

    What is no hold counts for nothing: the newest revision is enforced, or a hold that was known before goes on to its own end. Where only the revision cannot be enforced, what is in force stays so until the hold's end, and no newer revision is taken on: whoever set the hold does not want the newest one.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw hold
    bylaw journal list --reason HoldRefused --since 48h
    bylaw journal list --reason RevisionAccepted --since 720h
    ```

    ```sh
    kubectl get configmap bylaw-hold-default --namespace bylaw-system -o yaml
    ```

    ## Mitigation

    Set the hold anew for a revision that was accepted (the last command above but one lists them), with the instance and cluster that `bylaw status` names:

    ```sh
    bylaw hold --revision REVISION --for 1h --because "REASON"
    ```

    ## Undo

    End the hold, or empty the ConfigMap where it has something else:

    ```sh
    bylaw hold --end
    kubectl patch configmap bylaw-hold-default --namespace bylaw-system --type=merge --patch '{"data":null}'
    ```

    """#,
    #"""
    ---
    reason: ImpersonationGranted
    severity: critical
    ---

    # A subject gains the right to act as somebody else

    ## Meaning

    With the verb `impersonate` a request carries the name of another user, group or service account and is judged by the rights of that one. Without `resourceNames` that is anybody, and with groups also `system:masters`, which no binding limits. Since Kubernetes 1.36 the verbs that begin with `impersonate:` give the same in a limited way.

    ## Impact

    Over users or groups of the whole cluster it is every right there is. Over service accounts of one namespace it is the rights of all of those, wherever these are bound. The audit log names both: `user` is the one who asked, `impersonatedUser` the one who was played.

    ## Diagnosis

    See in review what is given, and whom the subject can become:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/NAME -f PATH
    ```

    See who holds it in the cluster:

    ```sh
    bylaw who-can impersonate users
    bylaw who-can impersonate groups
    bylaw who-can impersonate serviceaccounts -n NAMESPACE
    bylaw who-can impersonate:user-info users.authentication.k8s.io
    ```

    ## Mitigation

    - List in `resourceNames` whom it may play, for users and for groups each.
    - For service accounts use a Role in their namespace.
    - From 1.36 on use `impersonate:user-info` or `impersonate:serviceaccount` together with `impersonate-on:` verbs for what may be done in that role, and leave out plain `impersonate`.
    - To look at somebody's rights nobody needs it: `bylaw can` answers that from the bindings.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    It works for new requests within seconds. What was done in another's name stays done: search the audit log for `impersonatedUser` with this subject as `user`, and then undo by the runbook of the right that was used.

    """#,
    #"""
    ---
    reason: IsolationLost
    severity: warning
    ---

    # Pods are no longer isolated

    ## Meaning

    A pod is isolated for a direction only while at least one NetworkPolicy of its namespace selects it and has that direction. The last such policy is gone, or its `podSelector` or `policyTypes` no longer cover the pod, or the pod's labels changed. From then on everything is allowed in that direction: not the rules of the old policy, but all. What opens for these pods by it is not told again in findings of its own.

    ## Impact

    Incoming: every pod of the cluster, and whatever can reach the pod from outside. Outgoing: every pod, the internet, and the metadata service of the cloud with the node's credentials. It is critical in `kube-system` and for databases. Programs notice nothing, because nothing stops working.

    ## Diagnosis

    See in review which pods and which direction, and what made it so; it need not be a NetworkPolicy:

    ```sh
    bylaw diff main HEAD --live
    ```

    Later, see what selects the pods, and what may reach them:

    ```sh
    kubectl get networkpolicies -n NAMESPACE
    kubectl get pods -n NAMESPACE --show-labels
    bylaw reach -n NAMESPACE
    ```

    ## Mitigation

    - Keep one policy per namespace with `podSelector: {}` and `policyTypes: [Ingress, Egress]` and no rules. Then no change of another policy ever lifts isolation.
    - Write `policyTypes` out. Without it, an empty `egress` isolates nothing.
    - To open one path, add a policy for it; do not take the deny away.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    The policy is back within moments. Connections that were opened meanwhile may go on: whether a change touches them is up to the network plugin. Start the pods anew if that matters, and rotate the node's cloud credentials if the metadata service could be reached.

    """#,
    #"""
    ---
    reason: JournalDamaged
    severity: critical
    ---

    # The journal's file is damaged

    ## Meaning

    SQLite finds pages in the journal's file that cannot be right: a failing disk, a file that was copied while it was written, or something else that wrote into it. Nothing is written to such a file.

    ## Impact

    `bylaw run` stays up and changes nothing in the cluster: what is not as declared is told in its log, once for each object, and counted in `bylaw_unrecorded_drift_objects`. `bylaw sync` ends with an error. Once there is a sound journal the entry of this reason says from when to when that was.

    ## Diagnosis

    What can still be read of the evidence, and whether the disk is failing:

    ```sh
    bylaw journal verify
    bylaw journal list --limit 20
    bylaw journal list --reason JournalDamaged --since 24h
    dmesg
    ```

    ## Mitigation

    Stop Bylaw. Keep the file, its `-wal` and its `.key` as they are, as evidence. Then put a backup (`bylaw journal backup`) in their place, or leave the place empty to begin a new journal: what Bylaw owns is recognised from its markers and the history of the repository. Keep the key. Start Bylaw. A Bylaw that was started with the damaged file goes on by itself when the file is replaced. Entries since the backup are in what `journal ship` sent, and in the damaged file as far as that can be read.

    ## Undo

    Put the kept files back while Bylaw is stopped.

    """#,
    #"""
    ---
    reason: JournalKeyUnusable
    severity: critical
    ---

    # The key that signs the journal cannot be used

    ## Meaning

    The private key behind the journal's checkpoints is missing where `--journal-key` says it is, cannot be read, is no Ed25519 key, or may be read by everybody on the machine. Without it the journal would be no evidence.

    ## Impact

    `bylaw run` waits with its start and changes nothing in the cluster: what is not as declared is told in its log, once for each object, and counted in `bylaw_unrecorded_drift_objects`. `bylaw sync` ends with an error. Once the key can be used the entry of this reason says from when to when that was.

    ## Diagnosis

    The message names the file and what is wrong with it. The public key that belongs to the journal:

    ```sh
    bylaw journal key
    bylaw journal list --reason JournalKeyUnusable --since 24h
    bylaw journal list --reason SigningKeyChanged
    ```

    ## Mitigation

    Mount the key, correct its path, or take the rights of others away (`chmod o=`, or `defaultMode: 0440` for a mounted Secret). Bylaw goes on by itself. A key that is lost for good is replaced by another one (`openssl genpkey -algorithm ed25519`): the journal says so in an entry, and auditors need both public keys. A key that others may have read is known to them: replace it, and look at the checkpoints that are kept elsewhere.

    ## Undo

    Put the earlier key back; that is an entry of its own, too.

    """#,
    #"""
    ---
    reason: JournalTampered
    severity: critical
    ---

    # The journal is not what was written and signed

    ## Meaning

    Entries that were recorded are gone or read otherwise, or somebody else has added some: the file was changed from outside, cut off, or an older copy was put back. It may be an attack on the evidence, or a backup that was restored by hand.

    ## Impact

    Bylaw does not add to such a journal. `bylaw run` stays up and changes nothing in the cluster: what is not as declared is told in its log, once for each object, and counted in `bylaw_unrecorded_drift_objects`. `bylaw sync` ends with an error.

    ## Diagnosis

    Which entries, and who could write the volume; compare with checkpoints that are kept elsewhere:

    ```sh
    bylaw journal verify
    bylaw journal list --reason JournalTampered --since 24h
    bylaw journal list --limit 20
    kubectl get pods --all-namespaces -o wide
    ```

    ## Mitigation

    Keep the file, its `-wal` and its `.key` as evidence, and find out who did it before anything else: whoever can write the volume may also have had the key. Then move the files away to begin a new journal, with a new key where the old one may be known; a Bylaw that waits goes on by itself. What Bylaw owns is recognised from its markers and the history of the repository. Where a backup was put back on purpose, everything after it is missing in it: take what `journal ship` sent for that time.

    ## Undo

    Put the kept files back while Bylaw is stopped. Only the journal that was signed is accepted.

    """#,
    #"""
    ---
    reason: JournalUnwritable
    severity: critical
    ---

    # Nothing could be recorded, so nothing was changed

    ## Meaning

    For some time Bylaw could not write its journal: the volume was full, read-only, failing or not there, a right was missing, or another process was writing the journal. What cannot be recorded is not done. The entry is written when it is over, and says from when to when, why, and what was found not as declared meanwhile; while it lasts the log of `bylaw run` says so, and the metric `bylaw_journal_usable` is 0. A volume that hangs gives no error: after half a minute the log and the metric say so all the same, and there is no entry when it goes on.

    ## Impact

    While it lasts nothing is changed in the cluster: drift is told in the log, once for each object, and stays; new revisions wait. Afterwards everything is compared anew and put right by itself.

    ## Diagnosis

    The message says what the disk answered. See whether the journal is whole, and how full its volume is:

    ```sh
    bylaw journal list --reason JournalUnwritable --since 24h
    bylaw journal show SEQ
    bylaw journal verify
    df -h
    ```

    ## Mitigation

    Full: free space, or make the volume larger; to let old entries go later, run with `--journal-keep`. Read-only or failing: look at the kernel's log, and mount the volume again; Bylaw lets go of the file while it waits, and opens it again by itself. Rights: give the file, the files beside it and their folder to the user that runs Bylaw. Another process: stop the one that should not be there; a journal has one writer. Of several replicas with a volume each, end the one that leads (`kubectl delete pod`): another one leads at once.

    ## Undo

    Nothing was changed, so there is nothing to undo.

    """#,
    #"""
    ---
    reason: LeaseLost
    severity: warning
    ---

    # The leader was lost, and another replica takes over

    ## Meaning

    Bylaw runs with `--leader-elect`, and the replica that led did not renew its Lease in time, or somebody else stands in it. A replica that loses its Lease writes nothing to the cluster from the renewal deadline on, ends with status 3 and is started again as one that stands by. The entry was written by that replica, by the one that took over, or by both, where each could write a journal; the message says by which, and why.

    ## Impact

    Until another replica leads nothing is changed in the cluster: drift stays, new revisions wait. That takes as long as the Lease lasts (15 s by default), and then as long as the start of a pass. The one that takes over reads everything anew, so nothing is left out.

    ## Diagnosis

    One such entry after the crash of a node or pod is what replicas are for. Find out why where it comes again and again. See who leads, and since when:

    ```sh
    kubectl get lease bylaw-default -n bylaw-system -o yaml
    kubectl get pods -n bylaw-system -o wide
    bylaw journal list --reason LeaseLost --since 24h
    bylaw journal show SEQ
    ```

    A renewal that failed has the failure in its message: the API server out of reach or overloaded, the right to `leases` gone. None in the message and a pod that was not started again: the process, or the machine, was stopped for a while, or had no processor time.

    ## Mitigation

    Where the API server answers slowly, give the pods of Bylaw a priority class, or the Lease more time: `--lease-duration 30s --lease-renew-deadline 20s`, with the same values on all replicas. Where a right is missing apply `Deploy/components/high-availability/lease.yaml`. Where processor time is short raise the request of the Deployment. Nobody but Bylaw's service account should be able to write the Lease: whoever does can have two replicas lead for a moment.

    ## Undo

    Nothing was changed by it. What the lost replica had begun and not finished was looked at by the next one, and has its entry.

    """#,
    #"""
    ---
    reason: NamespaceDeletionHeld
    severity: warning
    ---

    # A Namespace left the repository; deleting it is held back

    ## Meaning

    A Namespace that Bylaw owns is no longer declared. Deleting it would delete every workload and volume claim in it, declared or not, so Bylaw does it only when Git says so twice.

    ## Impact

    The Namespace stays as it was declared, and what runs in it. Its roles and bindings that left the repository with it are removed; what isolates or limits it is kept, or waits for an approval of its own.

    ## Diagnosis

    See since when it is held, and what lives in it:

    ```sh
    bylaw journal list --reason NamespaceDeletionHeld --since 24h
    bylaw journal show SEQ
    kubectl get all,pvc,secrets --namespace NAMESPACE
    ```

    ## Mitigation

    If it shall go, and nothing in it is declared any more, say so with a commit:

    ```sh
    git commit --allow-empty -m "Delete the namespace" -m "Bylaw-Approved: namespace-deletion Namespace NAMESPACE by Alice Example"
    ```

    That covers what left the repository with it as well. Or delete it by hand after you have looked.

    ## Undo

    If it shall stay, declare it again with `git revert`. A namespace that was deleted does not come back with what was in it.

    """#,
    #"""
    ---
    reason: NamespaceRemoved
    severity: warning
    ---

    # A namespace leaves the repository

    ## Meaning

    The change deletes the manifest of a Namespace. Bylaw does not delete the namespace in the cluster, because that would delete every workload and volume claim in it; it reports NamespaceDeletionHeld. What else the repository declared in it and no longer declares is deleted: roles, bindings, network policies, quotas, limits and service accounts. Bindings elsewhere that name those accounts stay: whoever makes an account of the same name has their rights.

    ## Impact

    The workloads run on, without the policies that went with the namespace. Pods whose last NetworkPolicy is gone are open in both directions, limits no longer hold, and people lose their rights. The Pod Security labels stay as they are, but nobody puts them back any more when they are changed by hand.

    ## Diagnosis

    See in review what leaves with it, and what runs there:

    ```sh
    bylaw diff main HEAD
    kubectl get all,persistentvolumeclaims,secrets -n NAMESPACE
    ```

    Later, see what was deleted and what is held:

    ```sh
    bylaw journal list -n NAMESPACE --since 24h
    bylaw journal list --reason NamespaceDeletionHeld --since 24h
    bylaw status
    ```

    ## Mitigation

    - If the namespace is to go: remove its workloads first, then merge, then delete it by hand.
    - If it only moves to another folder or repository, do both in one commit, or keep it here until the other side has it.
    - If only its policies are to change, keep the manifest of the Namespace.

    ```sh
    kubectl delete namespace NAMESPACE
    ```

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Bylaw makes the policies, roles and limits anew; the namespace is still there, unless somebody deleted it. Then its workloads, Secrets and volumes have to come back from their own sources. Connections that were opened while policies were missing may go on, as the network plugin decides.

    """#,
    #"""
    ---
    reason: NamespaceTerminating
    severity: warning
    ---

    # A declared namespace is being deleted

    ## Meaning

    Somebody asked for the deletion of a namespace that the repository declares. Nothing can be created in it until it is gone. Bylaw then makes it and its contents anew.

    ## Impact

    Workloads in it are being deleted. Policies in it are missing from the moment they are deleted until the namespace is back.

    ## Diagnosis

    See who holds it up, and who asked for it:

    ```sh
    kubectl get namespace NAMESPACE -o yaml
    bylaw journal list --reason NamespaceTerminating --since 24h
    bylaw journal list --namespace NAMESPACE --since 1h
    ```

    ## Mitigation

    If it hangs, the conditions of the namespace name the resource or finalizer. Remove the finalizer at its owner; never write to `/finalize`.

    ## Undo

    A deletion of a namespace cannot be taken back. Restore workloads from their own sources.

    """#,
    #"""
    ---
    reason: NamespaceWriteGranted
    severity: warning
    ---

    # A subject gains the right to write namespaces and their Pod Security labels

    ## Meaning

    The labels of a namespace are policy. Those that begin with `pod-security.kubernetes.io/` say which pods it admits, and NetworkPolicies choose namespaces by all the others. `patch` or `update` therefore lifts Pod Security and joins any namespace to those that another's policy lets in. `create` makes namespaces that nobody has put a policy into.

    ## Impact

    With the right to run pods in the namespace it is the node: set `enforce` to `privileged`, start a privileged pod. It is one of the few rights to a cluster-scoped kind that a RoleBinding gives too, for the namespace that it stands in.

    ## Diagnosis

    See in review what is given, and who may run pods there:

    ```sh
    bylaw diff main HEAD
    bylaw who-can patch namespaces -n NAMESPACE
    bylaw who-can create pods -n NAMESPACE
    ```

    Later, see the labels, and what was put back:

    ```sh
    kubectl get namespaces --show-labels
    bylaw journal list --kind Namespace --reason DriftCorrected --since 24h
    ```

    ## Mitigation

    - Declare the namespace with its labels in this repository; then nobody else has to write it.
    - If a tool must annotate namespaces, limit it by `resourceNames` to those that it works for.
    - Let policies choose namespaces by `kubernetes.io/metadata.name`: that label the API server sets itself, and it cannot be taken by another namespace.

    Bylaw puts the labels of declared namespaces back within moments. A pod that was admitted in between stays.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    bylaw pods check -n NAMESPACE --level restricted
    ```

    Namespaces that were made stay, without policies. Declare them or delete them by hand. Look for pods that the declared level would refuse, and start them anew.

    """#,
    #"""
    ---
    reason: NetworkPolicyIneffective
    severity: info
    ---

    # A NetworkPolicy does not do what it seems to say

    ## Meaning

    Kubernetes accepts the policy and part of it has no effect. The finding says which:

    - its `podSelector` selects no pod that is known;
    - a rule matches no peer, or a named port is the name of no port at the destination;
    - `policyTypes` leaves out a direction that has rules; those are ignored;
    - another policy allows the same already, so this one could go.

    ## Impact

    Nothing opens or closes by this finding. But its author relies on something that is not there: a deny that isolates nobody leaves the pods open, an allow that matches nobody becomes an outage when the deny comes.

    ## Diagnosis

    See in review the policy and the line, and what holds in truth:

    ```sh
    bylaw diff main HEAD --live
    bylaw reach -n NAMESPACE
    ```

    Compare selectors with labels, and port names with those of the containers:

    ```sh
    kubectl get pods -n NAMESPACE --show-labels
    kubectl get namespaces --show-labels
    kubectl get pods -n NAMESPACE -o jsonpath='{.items[*].spec.containers[*].ports}'
    ```

    Without `--live` the cluster's pods are not known, and the policy may be there for some of them.

    ## Mitigation

    - Correct the label, or the port's name. Labels count with their letter case.
    - Write `policyTypes` out, always. Without it, `egress: []` denies nothing outgoing; `bylaw check` warns of that.
    - In a selector of a peer, `kubernetes.io/metadata.name` is the namespace's name; `name` is not set by Kubernetes.
    - Delete what is covered by another policy, if it is not there for the reader's sake.

    ## Undo

    `git revert` the commit if the policy was better before. There is nothing to clean up in the cluster.

    """#,
    #"""
    ---
    reason: NetworkWriteGranted
    severity: warning
    ---

    # A subject gains the right to change what may be reached

    ## Meaning

    NetworkPolicies only allow; there is no rule that forbids. So whoever may create one opens any pod of the namespace, and whoever may delete them lifts its isolation. Services, endpoints and EndpointSlices say where traffic goes: `externalIPs` draw traffic for a foreign address to one's own pod, and an endpoint may point at an address of another namespace. Ingresses and gateways publish to the outside.

    ## Impact

    Isolation of the namespace, or of all, is only as good as this subject. With services or endpoints it can listen to, or answer in place of, what others call by name. A Service of type `LoadBalancer` or `NodePort` also opens a door of the cluster.

    ## Diagnosis

    See in review what is given:

    ```sh
    bylaw diff main HEAD
    bylaw who-can create networkpolicies.networking.k8s.io -n NAMESPACE
    bylaw who-can delete networkpolicies.networking.k8s.io -n NAMESPACE
    bylaw who-can update endpointslices.discovery.k8s.io -n NAMESPACE
    ```

    Later, see what is open now, and which policies the repository does not declare:

    ```sh
    bylaw reach
    kubectl get networkpolicies,services,ingresses -n NAMESPACE
    ```

    ## Mitigation

    - Keep NetworkPolicies in this repository, and give nobody else the right to write them.
    - Give a team `services` in its namespace, and leave out `endpoints` and `endpointslices`: controllers write these.
    - Set the quota of `services.loadbalancers` and `services.nodeports` to 0 where nothing is to be published.
    - Refuse `externalIPs` with the admission plugin DenyServiceExternalIPs or an admission policy.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Bylaw makes declared policies anew that were deleted. Policies, services and ingresses that the repository never declared stay: look through them and delete those by hand. Whether connections that are open end with that depends on the network plugin.

    """#,
    #"""
    ---
    reason: NodeProxyGranted
    severity: critical
    ---

    # A subject gains the kubelet's API and with it every pod of a node

    ## Meaning

    `nodes/proxy` opens the kubelet's own API, through the API server or straight at the node's port 10250. It can run commands in every container of the node. `get` alone is enough for that: a command is started over a WebSocket, which begins as a GET request, and the kubelet asks for `get`. Upstream knows of this and has left it so.

    ## Impact

    Code execution in all pods of the nodes, `kube-system` included, with their tokens and Secrets, whatever namespace they are in. A call straight to the kubelet passes no admission, and the API server's audit log shows at most that the kubelet asked whether it is allowed. There is no such thing as a read-only `nodes/proxy`.

    ## Diagnosis

    See in review which rule it is; `nodes/*` and `*` contain it:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/NAME -f PATH
    ```

    See who holds it in the cluster:

    ```sh
    bylaw who-can get nodes/proxy
    bylaw who-can create nodes/proxy
    ```

    ## Mitigation

    Monitoring asks for it most often and does not need it. Give what it reads instead:

    - `nodes/metrics`, `nodes/stats` and `nodes/log`, in every version.
    - `nodes/pods`, `nodes/healthz` and `nodes/configz`, with fine-grained authorization of the kubelet, generally available in 1.36.
    - `resourceNames` of single nodes, if it must be: it is still every pod there.

    Close port 10250 of the nodes to everybody but the API server and the monitoring.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    The kubelet keeps an answer about rights for some minutes, so it ends a little later than at the API server. If it was misused, restart the pods of the nodes, rotate the Secrets that they mount, and look at the nodes themselves.

    """#,
    #"""
    ---
    reason: NodeWriteGranted
    severity: warning
    ---

    # A subject gains the right to move pods or to change nodes

    ## Meaning

    Labels and taints of a node decide which pods run there, and eviction or deletion in bulk decides when they leave. Whoever controls a node can so draw pods with strong tokens to it. A write on `pods/status` or `nodes/status` makes something look ready, or not, and takes it into or out of traffic. A write on `services/status` gives a service a load balancer address, and nodes then lead traffic for that address to it.

    ## Impact

    It is a way to outage at once, and for whoever holds a node a way to other pods' Secrets. It does not give code execution by itself.

    ## Diagnosis

    See in review what is given, and whether it is for the whole cluster:

    ```sh
    bylaw diff main HEAD
    bylaw who-can patch nodes
    bylaw who-can create pods/eviction -n NAMESPACE
    bylaw who-can update services/status -n NAMESPACE
    ```

    Later, see what the nodes look like and what was moved:

    ```sh
    kubectl get nodes --show-labels
    kubectl get events --all-namespaces --field-selector reason=TaintManagerEviction
    ```

    ## Mitigation

    - Only the scheduler, the autoscaler, the cloud controller and a drain tool need these. Give each a service account and a namespace of its own.
    - Eviction for one team: a Role in its namespace. A PodDisruptionBudget limits evictions, but not deletions.
    - Leave out `/status` of pods, nodes and services; kubelet and controllers write these.
    - Choose nodes for sensitive pods by labels that begin with `node-restriction.kubernetes.io/`: a kubelet cannot give those to itself.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Labels, taints and cordons stay as they were set: compare and correct them with `kubectl label`, `kubectl taint` and `kubectl uncordon`. Controllers make evicted pods anew; pods without an owner are gone.

    """#,
    #"""
    ---
    reason: OwnAccessHeld
    severity: warning
    ---

    # A change would take away Bylaw's own rights; it is held

    ## Meaning

    The newest revision deletes or replaces the binding, role or service account that gives Bylaw its rights in the cluster, or takes Bylaw off the binding's subjects; or nobody declares what gives them, in a scope that is enforced. Once that is gone Bylaw may not make it again, and may not make anything else.

    ## Impact

    That one object stays as it is in the cluster. Everything else is enforced.

    ## Diagnosis

    ```sh
    bylaw journal list --reason OwnAccessHeld --since 24h
    bylaw journal show SEQ
    kubectl get clusterrolebindings -o wide
    ```

    ## Mitigation

    If it was a mistake, `git revert` the commit. If Bylaw is to have its rights another way, first bind them to it by a second binding under another name, then delete the old one by hand with `kubectl`.

    Where it is undeclared in an enforced scope, declare it, or exclude it by name under `scopes: exclude:` in bylaw.yaml.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: OwnershipConflict
    severity: warning
    ---

    # An object carries the marker of another instance, or a copied one

    ## Meaning

    An object that is declared here belongs to another Bylaw instance by its label, or an object carries our label with the identity of another object, as when it was copied with `kubectl get -o yaml | kubectl apply`. It is left alone.

    ## Impact

    Where it is declared here, it is not enforced by this instance. A copy grants what the original grants and is not managed by anybody.

    ## Diagnosis

    ```sh
    kubectl get KIND NAME --namespace NAMESPACE -o yaml
    bylaw journal list --reason OwnershipConflict --since 24h
    bylaw journal show SEQ
    ```

    ## Mitigation

    Two instances must not declare one object: decide which one is to have it, and remove it from the other repository. The instance that owns it deletes it then, and the other one makes it again: expect a gap of moments, and check that the object that is made is the one that is wanted. A copy: delete it, or remove the label `bylaw.dev/instance` and the annotation `bylaw.dev/id` from it if it is wanted.

    ## Undo

    Put the label back if it was removed from the wrong object; Bylaw restores it by itself on what it owns.

    """#,
    #"""
    ---
    reason: PersistentVolumeGranted
    severity: warning
    ---

    # A subject gains the right to make volumes of any path of a node

    ## Meaning

    A PersistentVolume may be of type `hostPath` or `local`: any path of a node, `/` included. A pod that claims it reads and writes there. Pod Security does not see it, because the pod only names a claim; `restricted` forbids `hostPath` in the pod and lets the claim pass.

    ## Impact

    Together with the right to make a claim and a pod, which most teams have in their namespace, it is root on the node: its kubelet credentials, the files of all its pods, its container runtime. A volume can also be made that points at another team's disk.

    ## Diagnosis

    See in review who gains it; PersistentVolumes have no namespace, so it is a ClusterRoleBinding:

    ```sh
    bylaw diff main HEAD
    bylaw who-can create persistentvolumes
    bylaw who-can create persistentvolumeclaims -n NAMESPACE
    ```

    See which volumes are made of a path of a node:

    ```sh
    kubectl get persistentvolumes -o wide
    kubectl get persistentvolumes -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.spec.hostPath.path}{.spec.local.path}{"\n"}{end}'
    ```

    ## Mitigation

    - Give teams `persistentvolumeclaims` only, with a StorageClass; the driver makes the volume.
    - Leave `persistentvolumes` to the drivers' own service accounts, in a namespace where nobody else may run pods.
    - Volumes that must be made by hand are made by the platform's administrators.
    - An admission policy can refuse `hostPath` in PersistentVolumes for all others.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl get persistentvolumes --sort-by .metadata.creationTimestamp
    ```

    Volumes that were made stay, and pods that mount them keep doing so. Delete the claims and pods first, then the volumes. If a path of a node was mounted, look at that node, and rotate its credentials and the Secrets of its pods.

    """#,
    #"""
    ---
    reason: PodExecutionGranted
    severity: warning
    ---

    # A subject gains the right to run commands in pods or to reach their ports

    ## Meaning

    `pods/exec` and `pods/attach` give a shell in a running container, with its token, its mounted Secrets and its memory. `pods/ephemeralcontainers` puts a new container beside it. `pods/portforward`, `pods/proxy` and `services/proxy` reach ports through the API server, mostly past NetworkPolicies; the first also those that listen on localhost only.

    Before Kubernetes 1.35 `get` alone was enough to exec, attach and forward, because a WebSocket begins with a GET. From 1.35 on `create` is needed too. So a role that seems to read only, with `get` on `*` or on `pods/exec`, gives a shell on older clusters.

    ## Impact

    The subject has the rights of the service accounts of all pods of the namespace, and by a ClusterRoleBinding of all pods of the cluster, `kube-system` included. In a privileged pod it is the node.

    ## Diagnosis

    See in review what is given, and whom the subject can become:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:NAME -n NAMESPACE -f PATH
    ```

    See who holds it; ask for both verbs:

    ```sh
    bylaw who-can create pods/exec -n NAMESPACE
    bylaw who-can get pods/exec -n NAMESPACE
    bylaw who-can patch pods/ephemeralcontainers -n NAMESPACE
    kubectl version
    ```

    ## Mitigation

    - For reading logs `get` on `pods/log` is enough.
    - Use a Role in one namespace; give the namespace to a group that is filled only while it is needed.
    - `resourceNames` helps for pods with lasting names, as those of a StatefulSet; others change theirs with each restart.
    - Run debugging in a namespace with copies of the workload and without its Secrets.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Sessions that are open go on until they end. What was changed inside a container goes with the container, and an ephemeral container goes only with its pod. Start the pods anew, and rotate what they mount:

    ```sh
    kubectl rollout restart deployment NAME -n NAMESPACE
    ```

    """#,
    #"""
    ---
    reason: PodSecurityLoosened
    severity: warning
    ---

    # A namespace admits pods that it refused

    ## Meaning

    The level in `pod-security.kubernetes.io/enforce` drops or leaves, its version goes back to one with fewer checks, or `audit` or `warn` gets weaker. Or a new namespace declares no level at all. A namespace without the label has the API server's default, which is `privileged` unless somebody configured another. No `enforce` is therefore mostly no check at all.

    ## Impact

    At `privileged` whoever may run pods in the namespace may be root on the node: host paths, host network, privileged containers. At `baseline` in place of `restricted` containers may run as root, and with some more capabilities, but not reach the host. Weaker `audit` or `warn` admits nothing more; it only takes the notice away.

    ## Diagnosis

    See in review which mode drops from what to what:

    ```sh
    bylaw diff main HEAD
    bylaw who-can create pods -n NAMESPACE
    ```

    See which pods make use of it, and what they need it for:

    ```sh
    bylaw pods check -n NAMESPACE --level restricted
    bylaw pods check -n NAMESPACE --level baseline
    kubectl get namespace NAMESPACE --show-labels
    ```

    ## Mitigation

    - Mend the pod in place of the namespace. Mostly it is `runAsNonRoot`, `allowPrivilegeEscalation: false`, a `seccompProfile` and `drop: [ALL]`.
    - If one workload needs more, put it into a namespace of its own with the lower level, and give few people rights there.
    - Leave `audit` and `warn` at the stricter level, so that it stays visible.
    - A pinned `enforce-version` misses the checks of later versions, so going from `latest` to a pin is reported too. Where a pin is wanted, raise it with each upgrade.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    bylaw pods check -n NAMESPACE --level restricted
    ```

    A stricter label does not touch running pods. Those that were admitted in the meantime run on until they are deleted or restarted: find them with the last command, and restart their workloads. If one had access to the host, look at its node.

    """#,
    #"""
    ---
    reason: PodSecurityTightened
    severity: info
    ---

    # A namespace refuses pods that it admitted

    ## Meaning

    The level in `pod-security.kubernetes.io/enforce` rises, appears for the first time, or its version moves to one with more checks; or `audit` or `warn` gets stricter. Pods are checked when they are made, and when their images or containers change. Workload templates are checked for `audit` and `warn` only.

    ## Impact

    Running pods go on, whatever they need. The next pod that breaks the level is refused: at a rollout, a crash of a node, an autoscaling, or the next run of a cron job. A Deployment is accepted and then has no pods. Where pods are known that would be refused, the finding PodsWouldBeRefused says so.

    ## Diagnosis

    See in review what rises, and which pods break it:

    ```sh
    bylaw diff main HEAD --live
    bylaw pods check -n NAMESPACE --level restricted
    ```

    Ask the API server itself, without changing anything; it needs the right to patch the namespace:

    ```sh
    kubectl label namespace NAMESPACE --dry-run=server --overwrite pod-security.kubernetes.io/enforce=restricted
    ```

    Later, find what was refused:

    ```sh
    kubectl get events -n NAMESPACE --field-selector reason=FailedCreate
    ```

    ## Mitigation

    - Raise `warn` and `audit` first, `enforce` some days later.
    - Mend the workloads that `bylaw pods check` names before the merge; cron jobs and jobs too.
    - Exceptions of the API server's own configuration (users, runtime classes, namespaces) cannot be seen from outside: ask whoever runs it.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    The next pods are admitted again. Controllers try by themselves, with growing pauses; to be quicker, restart the rollout. A run of a job that was missed has to be started by hand.

    """#,
    #"""
    ---
    reason: PodsWouldBeRefused
    severity: warning
    ---

    # Pods that run today would be refused when they are made again

    ## Meaning

    The change raises the Pod Security level of a namespace, or its version, and pods that run there met the old one and do not meet the new one. It is known only where the cluster (`--live`) or a snapshot of it (`-f`) was looked at. Pods that run are not touched. They are refused at their next start: a rollout, a node that fails or is drained, an eviction, a scale up.

    ## Impact

    An outage with a delay, at a moment that nobody connects with the change, and with several pods at once when a node goes. The Deployment or StatefulSet looks accepted; its ReplicaSet or it itself reports `FailedCreate` and the replicas are missing.

    ## Diagnosis

    See in review which pods, which control and which field it is; the second command shows the templates too:

    ```sh
    bylaw diff main HEAD --live
    bylaw pods check -n NAMESPACE --level restricted
    ```

    Later, find what is refused already:

    ```sh
    kubectl get events -n NAMESPACE --field-selector reason=FailedCreate
    kubectl get deployments,statefulsets,daemonsets -n NAMESPACE
    ```

    ## Mitigation

    - Change the templates first: `bylaw pods check` names the field, such as `runAsNonRoot` or `capabilities.drop`. Roll out, then merge the level.
    - For images that run as root, set `runAsUser` to another number and see that the files belong to it.
    - If a workload cannot meet it, move it to a namespace of its own with the lower level, rather than keeping the whole namespace low.
    - Until then set only `warn` and `audit` to the new level.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl rollout restart deployment NAME -n NAMESPACE
    ```

    With the old level back, missing pods are made by their controllers, with pauses of up to several minutes. Pods that run need nothing. Jobs that failed for good have to be made anew.

    """#,
    #"""
    ---
    reason: PreventionFailed
    severity: warning
    ---

    # Prevention is not in force, or was tampered with

    ## Meaning

    The ValidatingAdmissionPolicy that refuses undeclared changes could not be installed, or somebody changed or removed it and Bylaw put it back. Servers before Kubernetes 1.30 do not have it.

    ## Impact

    While it is not in force the API server admits changes by hand, and Bylaw corrects them afterwards, as without prevention.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason PreventionFailed --since 24h
    bylaw journal show SEQ
    ```

    The policies are `bylaw-INSTANCE` and, where a scope is enforced, `bylaw-INSTANCE.undeclared`, each with a binding of the same name:

    ```sh
    kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings
    bylaw who-can delete validatingadmissionpolicybindings.admissionregistration.k8s.io
    kubectl auth can-i patch validatingadmissionpolicybindings --as system:serviceaccount:bylaw-system:bylaw
    kubectl auth can-i patch validatingadmissionpolicies --as system:serviceaccount:bylaw-system:bylaw
    ```

    ## Mitigation

    Where the right is missing, apply Deploy/components/prevention/rbac.yaml. Where the server does not have the API, drift is corrected only: leave it so, or take `prevention:` out of bylaw.yaml with a commit that carries `Bylaw-Approved: configuration-loosened by NAME`. Where somebody removed it, the API server's audit log knows who: whoever may delete admission policies can switch prevention off.

    ## Undo

    Prevention goes when `prevention: enabled:` is false in a revision approved so. Where it keeps everybody out and cannot wait, stop Bylaw and delete the bindings by hand: the server never asks a policy about those.

    """#,
    #"""
    ---
    reason: ProtectedObjectHeld
    severity: warning
    ---

    # A change to a protected object is held

    ## Meaning

    The repository declares, or no longer declares, an object that is never written: one in a `kube-*` namespace, RBAC that belongs to Kubernetes (`system:`, `cluster-admin`, `admin`, `edit`, `view`), something in Bylaw's own namespace, or what `protected:` in bylaw.yaml lists.

    ## Impact

    That one object stays as it is in the cluster. Everything else is enforced.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason ProtectedObjectHeld --since 24h
    bylaw journal show SEQ
    bylaw plan
    ```

    The message says why it is protected.

    ## Mitigation

    Take the object out of the repository, or, where bylaw.yaml protects it, take it off that list with a commit that carries `Bylaw-Approved: configuration-loosened by NAME`. An object that Bylaw made before it was protected stays held when it leaves the repository: declare it as it stands in the cluster, or delete it by hand. What Kubernetes owns is changed by hand with `kubectl`, if at all.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: PruneUnproven
    severity: info
    ---

    # An object carries our marker and is not declared, but nothing proves that we made it

    ## Meaning

    Bylaw deletes what left the repository only where its journal knows the object, or, where the journal was lost, an earlier revision declared it, and never what is part of Kubernetes itself (`system:` RBAC and the roles that the API server makes at its start). What only an earlier revision proves is left to a controller that owns it; what the journal knows goes whatever owner somebody wrote onto it. For this one there is no such proof, so it is left alone.

    ## Impact

    An object that nobody declares stays in force.

    ## Diagnosis

    See which object it is, and whether the journal knows it:

    ```sh
    bylaw journal list --reason PruneUnproven --since 24h
    bylaw journal show SEQ
    bylaw journal list --name NAME
    ```

    See what it is now, and whether an earlier revision declared it:

    ```sh
    kubectl get KIND NAME --namespace NAMESPACE -o yaml
    git log --all --oneline -S 'name: NAME'
    ```

    ## Mitigation

    If it should not be there, delete it by hand. If it should, declare it in the repository.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: QuotaLoosened
    severity: warning
    ---

    # A quota or limit is raised or removed

    ## Meaning

    A ResourceQuota or LimitRange allows more than before, covers less, or is gone. A quota limits what a namespace may have in all; a limit range what a single container may ask for, and what it gets when it asks for nothing. Without a quota a namespace may have as much as the cluster holds.

    ## Impact

    One team, or one program that makes pods in a loop, can take the room of the others. Some quotas are security rules: `services.loadbalancers` and `services.nodeports` decide whether a namespace can publish anything, `count/secrets` how much can be put into the API server's database. Without the default of a limit range, pods without a memory limit can bring a node down.

    ## Diagnosis

    See in review what rises from what to what:

    ```sh
    bylaw diff main HEAD
    ```

    See how much of it is used, and what is there already:

    ```sh
    kubectl describe resourcequota -n NAMESPACE
    kubectl describe limitrange -n NAMESPACE
    kubectl get services -n NAMESPACE
    bylaw journal list --kind ResourceQuota -n NAMESPACE
    ```

    ## Mitigation

    - Raise only the resource that is short, to what is used plus a margin.
    - Raise it for a time, and put the date for going back into the commit.
    - Keep `services.loadbalancers: "0"` and `services.nodeports: "0"` where nothing is to be published.
    - Leave a limit range's defaults in place: with a quota on memory or CPU, pods that state none are refused without them.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    A quota refuses what is made anew and removes nothing. Pods, services and claims beyond the old limit stay, and until enough of them are gone nothing new is admitted, restarts included. Scale down by hand first. A limit range holds for new pods only.

    """#,
    #"""
    ---
    reason: ReachabilityLost
    severity: warning
    ---

    # Pods can no longer reach other pods

    ## Meaning

    A pair of pods could talk and no longer can, or no longer on a port: a rule that allowed it is gone, or its selector no longer matches. As mere information the finding says that pods are newly isolated, by a first policy for them: then only its rules count. Leaving out DNS is the classic: with the first egress policy a pod no longer finds names, and everything seems to be down.

    ## Impact

    An outage, if the pair does talk. It may begin late: network plugins differ in whether they cut connections that are open, so a program with long ones fails only when it connects again, or at its next restart. Newly isolated pods are what a deny is for, so no pair is named for them: see that every flow they need is allowed.

    ## Diagnosis

    See in review which pairs are lost, and which policy isolates which side:

    ```sh
    bylaw diff main HEAD --live
    ```

    Later, ask for the pair and for DNS, and see which side refuses:

    ```sh
    bylaw reach NAMESPACE/NAME NAMESPACE/NAME
    bylaw reach NAMESPACE/NAME kube-system/kube-dns
    kubectl get networkpolicies -n NAMESPACE -o yaml
    kubectl get pods -n NAMESPACE --show-labels
    ```

    ## Mitigation

    - Both sides must allow it: add an egress rule at the source and an ingress rule at the destination.
    - Allow DNS next to each egress deny: UDP and TCP 53 to the pods labelled `k8s-app: kube-dns` in `kube-system`. With a DNS cache on the node that is an address of the node, by `ipBlock`.
    - A named port must be the name of a container port of the destination, with the same protocol.
    - Merge the rules that allow before, or with, those that deny.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    New connections work again within moments. Programs that gave up have to be restarted, and jobs that failed to be run again.

    """#,
    #"""
    ---
    reason: ReachabilityWidened
    severity: warning
    ---

    # Pods can newly reach other pods

    ## Meaning

    A new pair of workloads may talk, or a pair over more ports than before. Both sides allow it: the source's egress and the destination's ingress, where a side that no policy isolates allows all. The cause may be a NetworkPolicy, a label of a pod or a namespace, a new namespace that a selector matches, or the name of a container port.

    ## Impact

    One more way from a workload that was taken over to the next. It is graver between namespaces, most of all with `namespaceSelector: {}`, which is every pod of every team, including those to come. More ports within a pair that may talk already is less.

    ## Diagnosis

    See in review who reaches whom, on which ports, and which rule allows it:

    ```sh
    bylaw diff main HEAD --live
    ```

    Later, see what the pair may do, and what else begins or ends in the namespace:

    ```sh
    bylaw reach NAMESPACE/NAME NAMESPACE/NAME
    bylaw reach -n NAMESPACE
    kubectl get namespaces --show-labels
    ```

    `bylaw reach` says what the policies allow. Whether the plugin enforces them is another question.

    ## Mitigation

    - Put `namespaceSelector` and `podSelector` into one item of the list: both must hold. As two items either is enough.
    - Choose namespaces by `kubernetes.io/metadata.name`, which nobody else can carry.
    - Name the ports, by the number or by a name that the destination's containers have.
    - Pods with `hostNetwork` are the node's network: no selector holds for them.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    If a label made it so, the revert puts back the labels of declared namespaces; labels of pods come from their own templates. What happens to open connections is up to the network plugin: start the source's pods anew if they must end now.

    """#,
    #"""
    ---
    reason: RevisionEmpty
    severity: critical
    ---

    # The newest revision declares nothing; nothing is deleted

    ## Meaning

    The followed folder of the newest commit holds no manifest at all. That is more often a mistake (a moved folder, a wrong branch) than a wish to remove every policy, so Bylaw keeps the revision before it.

    ## Impact

    Nothing changes in the cluster. New commits are not applied while they declare nothing.

    ## Diagnosis

    The entry names the commit. See what it holds in the folder, from a clone:

    ```sh
    bylaw journal list --reason RevisionEmpty --since 24h
    bylaw journal show SEQ
    bylaw check PATH
    git ls-tree -r --name-only COMMIT -- PATH
    ```

    ## Mitigation

    Correct `--path` or `--branch`, or bring the manifests back.

    ## Undo

    `git revert` the commit that removed them.

    """#,
    #"""
    ---
    reason: RevisionInvalid
    severity: critical
    ---

    # The newest revision has a mistake; the last good one stays enforced

    ## Meaning

    The newest commit of the followed branch has at least one manifest that Kubernetes or the repository's rules do not accept. Nothing of it is applied. The revision before it is still enforced, and its drift is still corrected.

    ## Impact

    What was merged is not in force, including anything else that the same commit or a later one changes.

    ## Diagnosis

    The entry names file, line and field of each mistake. The same from a clone:

    ```sh
    bylaw journal list --reason RevisionInvalid --since 24h
    bylaw journal show SEQ
    bylaw check PATH
    ```

    ## Mitigation

    Correct the file by a pull request, or take the commit back:

    ```sh
    git revert COMMIT
    git push
    ```

    ## Undo

    The next sound revision ends this incident.

    """#,
    #"""
    ---
    reason: RightGranted
    severity: info
    ---

    # A subject gains a right that is not dangerous by itself

    ## Meaning

    A new binding, a new rule in a role, or a new subject of a binding lets somebody do more than before. None of it is on the list of rights that lead to other people's Secrets, pods or rights. The finding says what is new compared with everything that the subject held before, so a rule that repeats an older one does not show.

    ## Impact

    Small within a namespace. A right to write in the whole cluster weighs more than one to read. Kinds of extensions that Bylaw does not know are judged by their verbs only: what an operator does with its objects may be more.

    ## Diagnosis

    See in review what is new and which file and rule make it so:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:NAME -n NAMESPACE -f PATH
    ```

    Later, see by which commit it came, and who else has it:

    ```sh
    bylaw journal list --kind RoleBinding -n NAMESPACE --name NAME
    bylaw who-can VERB RESOURCE -n NAMESPACE
    ```

    ## Mitigation

    Nothing has to be done if the right is meant. Ask two things in review:

    - Does it have to be for the whole cluster? A RoleBinding may name a ClusterRole and gives its rules in one namespace only.
    - Is the subject a group of people or an account of one program, and not a person by name who will move on?

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    It works for new requests within seconds; watches that are open end some minutes later. What the subject wrote in the meantime stays.

    """#,
    #"""
    ---
    reason: RightRevoked
    severity: info
    ---

    # A subject loses a right

    ## Meaning

    A binding, a rule or a subject leaves, and nothing else gives the same right. That is mostly what was meant, so it needs no approval. The finding is a grave one in a single case: nobody but the group `system:masters` is left with every right over the cluster.

    ## Impact

    Programs that use the right start to fail with 403, and some do so only days later, at their next job or renewal. Tokens stay valid, they just allow less. With nobody left as administrator, only whoever holds a certificate of `system:masters` can repair the cluster's RBAC by hand.

    ## Diagnosis

    See in review what is lost, and what the subject keeps:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/NAME -n NAMESPACE -f PATH
    ```

    Later, find who misses it:

    ```sh
    bylaw journal list --kind RoleBinding -n NAMESPACE --since 24h
    bylaw who-can VERB RESOURCE -n NAMESPACE
    kubectl auth can-i VERB RESOURCE -n NAMESPACE --as system:serviceaccount:NAMESPACE:NAME
    ```

    ## Mitigation

    - Before the merge, look into the API server's audit log for whether the subject has used the right in the last weeks.
    - If it is needed in part, give that part by a rule with `resourceNames` or in one namespace.
    - If the last administrator goes, bind `cluster-admin` to a group for emergencies first, by a commit of its own.

    A right is really gone only when the object is: finalizers can hold a binding, and it then still grants (DeletionBlocked).

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Bylaw makes the binding anew, and the right is back within seconds. What failed meanwhile, such as a job or a renewal, may have to be started again. Watches and sessions that were open at the revocation ran on until they ended.

    """#,
    #"""
    ---
    reason: RiskReported
    severity: info
    ---

    # A change with a meaning that is to be told was applied

    ## Meaning

    A revision made somebody gain a right or opened something, of a kind and severity that the table of risks or bylaw.yaml reports and does not hold.

    ## Impact

    It is in force. It is told once, and is no open incident.

    ## Diagnosis

    ```sh
    bylaw journal list --reason RiskReported --since 24h
    bylaw journal show SEQ
    ```

    The message names the runbook of that kind of risk. See what it gives now:

    ```sh
    bylaw can Group:NAME
    ```

    ## Mitigation

    If it is not wanted, `git revert` the commit. If such changes are to wait for an approval, set that kind of risk to `hold` under `guardrails: risks:` in bylaw.yaml, by its own name, such as `WorkloadCreationGranted: hold`. The name of a whole guardrail, such as `risky-grant: hold`, holds no more than the table does, which `bylaw guardrails` prints.

    ## Undo

    `git revert` the commit; what it gave is taken away first.

    """#,
    #"""
    ---
    reason: RoleEscalationGranted
    severity: critical
    ---

    # A subject gains the right to give itself further rights

    ## Meaning

    The subject may write roles or bindings, or has the verb `escalate` or `bind`. Kubernetes lets an author put into a role only the rights that he holds, and bind only roles whose rights he holds. `escalate` lifts the first limit and `bind` the second, so either of them over any role is the same as every right there is.

    ## Impact

    With `escalate` or `bind` for the whole cluster the subject can become cluster-admin in one request. With write alone it can hand its own rights to anybody, so a later revocation of them misses the copies, and it can delete other people's roles and bindings.

    ## Diagnosis

    See in review what is given, and what the subject can become:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:NAME -f PATH
    ```

    See who holds it in the cluster:

    ```sh
    bylaw who-can escalate clusterroles.rbac.authorization.k8s.io
    bylaw who-can bind clusterroles.rbac.authorization.k8s.io
    bylaw who-can create rolebindings.rbac.authorization.k8s.io -n NAMESPACE
    ```

    ## Mitigation

    - Let people propose bindings by pull request to this repository; then only Bylaw needs the right.
    - Where a program must bind, allow `bind` with `resourceNames` of the few roles that it hands out, and no `escalate`.
    - Use a Role and a RoleBinding, so that it ends at the namespace.
    - An update of named objects by `resourceNames` does not allow creating others.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl get rolebindings,clusterrolebindings --all-namespaces --sort-by .metadata.creationTimestamp
    ```

    What the subject wrote in the meantime stays, and Bylaw does not delete what the repository never declared. Look through the newest roles and bindings and delete those by hand.

    """#,
    #"""
    ---
    reason: SecretAccessGranted
    severity: critical
    ---

    # A subject gains the right to read or write Secrets

    ## Meaning

    `get`, `list` and `watch` are the same here: a list and a watch carry the contents of all Secrets, so leaving out `get` protects nothing. `create` is reading too, where the subject may read what it makes: a Secret of type `kubernetes.io/service-account-token` that names a service account is filled with a token of it that never expires. `update` and `patch` put other contents under programs that trust them.

    ## Impact

    Passwords, keys and certificates of the namespace or, by a ClusterRoleBinding, of the whole cluster. Tokens among them make the subject into those service accounts. It is one step less grave where it is only `get` of Secrets that are named.

    ## Diagnosis

    See in review what is given, and what follows from it:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:NAME -n NAMESPACE -f PATH
    ```

    See who may read in the cluster, and what there is to read:

    ```sh
    bylaw who-can get secrets -n NAMESPACE
    bylaw who-can list secrets
    kubectl get secrets -n NAMESPACE
    ```

    ## Mitigation

    - Allow `get` with `resourceNames` of the Secrets that are needed. A list with names works only for a client that asks by `metadata.name`.
    - Use a Role and a RoleBinding in the namespace, never a ClusterRoleBinding.
    - A pod that mounts a Secret needs no right at all: the kubelet reads it for the pod.
    - Keep Secrets of different readers in different namespaces.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    What was read stays read: rotate every Secret that the right covered, at the system it opens and not only in the cluster. Delete token Secrets that nobody knows; that ends their tokens:

    ```sh
    kubectl get secrets -n NAMESPACE --field-selector type=kubernetes.io/service-account-token
    ```

    """#,
    #"""
    ---
    reason: SelfLockoutRefused
    severity: critical
    ---

    # A revision would lock Bylaw out and is refused

    ## Meaning

    After the newest revision Bylaw would no longer hold a right that it needs, or its own service account or namespace would go. It could not put that right by itself.

    ## Impact

    Nothing of the revision is enforced. The last good one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason SelfLockoutRefused --since 24h
    bylaw journal show SEQ
    ```

    See what gives Bylaw its rights now:

    ```sh
    bylaw can ServiceAccount:bylaw-system/bylaw
    kubectl get clusterrolebindings -o wide
    ```

    ## Mitigation

    If it was a mistake, `git revert` the commit. If Bylaw is to have its rights another way, first commit the new role and binding beside the old ones, and take the old ones out with a later one. Bylaw never deletes a binding that names it: that is held (`OwnAccessHeld`) until you delete it by hand.

    The refused revision is judged again with the next commit or at a restart, not when the cluster changes.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: SeveralLeaders
    severity: critical
    ---

    # More than one Bylaw takes itself for the leader

    ## Meaning

    An alert only. Two processes of one instance report that they may change the cluster. Either they do not share a Lease, as where leader election is off or they have different names for it, or one of them could not see in time that it had lost it. For a few seconds after a takeover it may also be an old sample.

    ## Impact

    Both write the same declared state, so the cluster stays as declared. Each corrects what the other does where they follow different revisions, and each writes a journal of its own, so that neither holds the whole history.

    ## Diagnosis

    ```sh
    kubectl get pods -o wide -n NAMESPACE
    kubectl get leases -o yaml -n NAMESPACE
    bylaw journal list --reason DriftFight --since 1h
    bylaw status
    ```

    The query `bylaw_leader == 1` names the processes. Compare their flags: the instance, the repository, its path and the cluster.

    ## Mitigation

    Stop all of them but one. Then start the others with leader election, or as instances of their own with other names and other parts of the repository.

    ## Undo

    Nothing to undo in the cluster. Keep the journals of all of them: what one has done stands in its own.

    """#,
    #"""
    ---
    reason: ShippingStalled
    severity: warning
    ---

    # Nothing of the journal reaches the receiver of logs

    ## Meaning

    `bylaw run` is told to send its journal on (`--ship-to`), and nothing has arrived for `--ship-stalled-after`: the receiver cannot be reached, refuses the token or the certificate, takes nothing, or how far it is cannot be kept. The message has the last failure. The incident ends by itself when entries arrive again.

    ## Impact

    Policy is enforced and recorded as before. Whoever watches the receiver sees nothing new. Nothing is lost: the journal keeps every entry, and all that is missing is sent in order afterwards.

    ## Diagnosis

    The message says where to, and what failed last:

    ```sh
    bylaw journal list --reason ShippingStalled --since 24h
    bylaw journal show SEQ
    bylaw status
    ```

    For a receiver with TLS, whether it answers and with which certificate:

    ```sh
    openssl s_client -connect HOST:PORT -CAfile CA_FILE </dev/null
    ```

    ## Mitigation

    Make the receiver reachable, or correct the flags that begin with `--ship-` and start `bylaw run` again. An unknown certificate: give the authority's with `--ship-ca-file`. A refused token: write a new one into the file of `--ship-token-file`, and start again. A cursor of another journal: name a new file with `--ship-cursor`; it begins with the first entry. To see at once whether it works, run `bylaw journal ship` with the same values and `--once`.

    ## Undo

    Nothing to undo. What was sent twice has the same journal and sequence.

    """#,
    #"""
    ---
    reason: SignatureUncheckable
    severity: critical
    ---

    # Whether a signature is good cannot be told

    ## Meaning

    `ssh-keygen` or `gpg` is missing, took too long or said something unknown, or a file of keys is missing or damaged; or, with `--verify-commits all`, there are 1,000 commits or more since the last trusted one, which are verified in parts: the message says how far. Unknown is not trusted.

    ## Impact

    The untrusted revision is refused. The last trusted one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason SignatureUncheckable --since 24h
    bylaw journal show SEQ
    ```

    Run what Bylaw runs, as its user and with its files:

    ```sh
    git cat-file commit COMMIT | sed -n 's/^gpgsig //;/BEGIN SSH/,/END SSH/s/^ *//p' > SIGNATURE
    ssh-keygen -Y find-principals -f ALLOWED_SIGNERS -s SIGNATURE
    gpg --show-keys KEY_RING
    ```

    `No user exists for uid` means that the container's user has no entry in `/etc/passwd`, which ssh-keygen asks for.

    ## Mitigation

    Install the tool, mount the file, or correct it as the message says; give the container's user an entry in `/etc/passwd`. Where there are many commits, nothing is to be done as long as the message names a later commit with each look; where it goes on naming the same number, the last trusted commit is not part of what is followed any more: look at the commits, and run Bylaw with `--verify-commits head` until it has taken the newest one. It is tried again with each look at the repository.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: SigningKeyExpired
    severity: warning
    ---

    # The key of a commit's signature is not valid now

    ## Meaning

    The signature fits, but its key is no longer valid, or not yet. What counts is the time at which Bylaw looks and not the commit's own date, which whoever holds the key can choose. What is enforced already stays so when a key expires later.

    ## Impact

    The untrusted revision is refused. The last trusted one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason SigningKeyExpired --since 24h
    bylaw journal show SEQ
    ```

    In a clone; an SSH signature needs the file, an OpenPGP one the key in your own key ring:

    ```sh
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS log --show-signature -5
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS verify-commit COMMIT
    ```

    ```sh
    grep valid- ALLOWED_SIGNERS
    gpg --list-keys --with-colons EMAIL
    ```

    ## Mitigation

    Let the author sign with a valid key, by a signed commit on top (`head`) or by signing each commit again (`all`), or extend the key: a new `valid-before` in the allowed-signers file, or a new export of the key ring with the extended key. Bylaw reads the files with each look.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: SigningKeyRevoked
    severity: critical
    ---

    # The key of a commit's signature was revoked

    ## Meaning

    The signature fits, but the SSH key stands in the file of `--revoked-keys`, or the OpenPGP key's revocation is in the key ring of `--gpg-keyring`. Somebody may use a key that was stolen.

    ## Impact

    The untrusted revision is refused. The last trusted one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason SigningKeyRevoked --since 24h
    bylaw journal show SEQ
    ```

    In a clone; an SSH signature needs the file, an OpenPGP one the key in your own key ring:

    ```sh
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS log --show-signature -5
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS verify-commit COMMIT
    ```

    The first reads a list of keys, the second a KRL:

    ```sh
    ssh-keygen -l -f REVOKED_KEYS
    ssh-keygen -Q -l -f REVOKED_KEYS
    gpg --show-keys KEY_RING
    ```

    ## Mitigation

    Ask the owner of the key whether the commit is theirs. If not, treat it as an attack: find out who pushed it, and change that account's credentials. If it is, let them sign it with another key.

    ## Undo

    Move the branch back to the last trusted commit.

    """#,
    #"""
    ---
    reason: SigningKeyUntrusted
    severity: critical
    ---

    # Nothing vouches for the key of a commit's signature

    ## Meaning

    The signature fits, but its key is neither in the allowed-signers file nor in the key ring that Bylaw was given, or may not sign for Git. X.509 signatures are not supported.

    ## Impact

    The untrusted revision is refused. The last trusted one stays enforced, and its drift is corrected.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason SigningKeyUntrusted --since 24h
    bylaw journal show SEQ
    ```

    In a clone; an SSH signature needs the file, an OpenPGP one the key in your own key ring:

    ```sh
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS log --show-signature -5
    git -c gpg.ssh.allowedSignersFile=ALLOWED_SIGNERS verify-commit COMMIT
    ```

    Whose key is it?

    ```sh
    git cat-file commit COMMIT | sed -n 's/^gpgsig //;/BEGIN SSH/,/END SSH/s/^ *//p' > SIGNATURE
    ssh-keygen -Y find-principals -f ALLOWED_SIGNERS -s SIGNATURE
    gpg --show-keys KEY_RING
    ```

    ## Mitigation

    If the signer is to be trusted, add the key to the mounted file (`--allowed-signers`, `--gpg-keyring`). Merges that a Git host makes are signed with the host's own key: decide whether you trust it. Bylaw reads the files with each look.

    ## Undo

    Nothing was changed.

    """#,
    #"""
    ---
    reason: SystemConfigurationGranted
    severity: critical
    ---

    # A subject gains the right to write the configuration of the system

    ## Meaning

    ConfigMaps in `kube-system` are read by the control plane and by the node programs, and some decide who is who. `aws-auth` gives users of the cloud account groups of the cluster, `system:masters` among them. `extension-apiserver-authentication` says whose word other API servers take for a user's name. `coredns` says where names lead, `kube-proxy` how traffic goes.

    ## Impact

    In many clusters one write is enough to become cluster-admin, or to lead the traffic of every pod elsewhere. A right to write ConfigMaps by a ClusterRoleBinding contains it, as harmless as it looks.

    ## Diagnosis

    See in review whether the right is for the whole cluster or for `kube-system`:

    ```sh
    bylaw diff main HEAD
    bylaw who-can update configmaps -n kube-system
    bylaw who-can create configmaps -n kube-system
    ```

    Later, see what is there and who wrote it last:

    ```sh
    kubectl get configmaps -n kube-system
    kubectl get configmap NAME -n kube-system -o yaml --show-managed-fields
    ```

    ## Mitigation

    - Use a Role in the namespace where the program runs, in place of a ClusterRoleBinding.
    - For one ConfigMap of `kube-system` list it in `resourceNames`, with `get`, `update` and `patch`. `create` cannot be limited by name.
    - For leader election use `leases` of `coordination.k8s.io` in the program's own namespace.
    - Keep `aws-auth` in the infrastructure's repository, or use the cloud's access entries in place of it.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    ConfigMaps are not in this repository and are not put back. Compare those of `kube-system` with their source, and put them back by hand. A user that was added to `aws-auth` keeps its rights until the entry is gone. Pods that read a changed file may need a restart.

    """#,
    #"""
    ---
    reason: TokenCreationGranted
    severity: critical
    ---

    # A subject gains the right to make tokens of service accounts

    ## Meaning

    `create` on `serviceaccounts/token` gives a fresh token of a service account, and with it everything that the account may do, in this namespace and wherever else it is bound. The one who asks chooses how long it lives, up to the limit that the API server sets. No pod has to run for it, and the token works from anywhere.

    ## Impact

    By a ClusterRoleBinding it is every service account of the cluster, those of `kube-system` included, whose controllers can do nearly everything. By a RoleBinding it is the strongest account of that namespace. The audit log shows the account as the user, not the subject.

    ## Diagnosis

    See in review what is given, and whom the subject can become:

    ```sh
    bylaw diff main HEAD
    bylaw can Group:NAME -n NAMESPACE -f PATH
    ```

    See who holds it, and what the accounts in reach may do:

    ```sh
    bylaw who-can create serviceaccounts/token -n NAMESPACE
    kubectl get serviceaccounts -n NAMESPACE
    bylaw can ServiceAccount:NAMESPACE/NAME
    ```

    ## Mitigation

    - List the account in `resourceNames`: a token request carries its name, so this limits it.
    - Use a Role in the namespace, and keep accounts with strong rights in another one.
    - A pod needs no such right for its own token: a projected volume gives it one.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Tokens that were made cannot be called back one by one. They end when they expire, or when the service account is deleted: one that is declared Bylaw makes anew, and the old tokens do not fit the new one. Restart its pods afterwards, their tokens end with it.

    ```sh
    kubectl delete serviceaccount NAME -n NAMESPACE
    ```

    """#,
    #"""
    ---
    reason: TokenMountEnabled
    severity: warning
    ---

    # Pods of a service account get its token

    ## Meaning

    `automountServiceAccountToken` of a service account is no longer `false`. From then on each new pod of the account that does not say otherwise has a token in its file system, at `/var/run/secrets/kubernetes.io/serviceaccount`. The field in the pod's own specification goes before that of the account.

    ## Impact

    A hole in any of those pods gives the rights of the account, as well as what everybody with credentials may. With rights that read Secrets or run pods, that is the way from one pod to the namespace. For an account with no bindings it is little. The token is bound to the pod and ends with it, or with its time.

    ## Diagnosis

    See in review which account, and what it may do:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/NAME -n NAMESPACE -f PATH
    ```

    See which pods run as it, and what it may do in the cluster:

    ```sh
    kubectl get pods -n NAMESPACE --field-selector spec.serviceAccountName=NAME
    bylaw can ServiceAccount:NAMESPACE/NAME -n NAMESPACE
    ```

    ## Mitigation

    - Leave the account at `false`, and set `automountServiceAccountToken: true` in the template of the one workload that talks to the API server.
    - Better still, let that workload mount a projected token with a short `expirationSeconds`, and leave the rest without one.
    - Give workloads that need no API an account without bindings.
    - Keep `default` at `false` in every namespace.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl rollout restart deployment NAME -n NAMESPACE
    ```

    The field counts when a pod is made: pods that were started in between keep the token until they are made anew. A token that was copied out of a pod works until it expires or that pod is deleted.

    """#,
    #"""
    ---
    reason: UndeclaredObject
    severity: warning
    ---

    # There is an object that no revision declares

    ## Meaning

    In a scope that bylaw.yaml reports, or in an enforced one under a name of Kubernetes' own that is not known, with an owner that keeps it, with the marker of an instance that bylaw.yaml lists, or in a namespace that only its labels bring there and no revision declares, somebody made a role, binding, NetworkPolicy, quota, limit or service account that the repository does not declare. Such objects add to what is declared: a binding grants and a NetworkPolicy allows, whatever the declared ones say.

    ## Impact

    It is in force. Bylaw leaves it alone.

    ## Diagnosis

    ```sh
    bylaw status
    bylaw journal list --reason UndeclaredObject --since 24h
    bylaw journal show SEQ
    ```

    Who wrote it, and what does it give?

    ```sh
    kubectl get KIND NAME --namespace NAMESPACE -o yaml --show-managed-fields
    bylaw can User:NAME
    bylaw who-can '*' '*'
    ```

    The API server's audit log knows the user.

    ## Mitigation

    Declare it by pull request, remove it with `kubectl delete`, or exclude it under `scopes: exclude:` in bylaw.yaml, which takes `Bylaw-Approved: configuration-loosened by NAME`. An owner can be made up: look whether it exists and makes such objects, and exclude its kind under `ownerKinds` then. A `system:` name may come from a Kubernetes release that Bylaw does not know yet, but anybody who may bind can choose one: exclude it only when you have found it in that release. Treat any other unknown binding to a strong role as an intrusion: remove it and look at what its subjects did.

    ## Undo

    The incident ends when the object is gone, declared or excluded.

    """#,
    #"""
    ---
    reason: UndeclaredRemoved
    severity: warning
    ---

    # An object that nobody declared was removed

    ## Meaning

    In a scope that bylaw.yaml enforces somebody made an object that the repository does not declare. Bylaw removed it; the entry holds it whole, with its last writer.

    ## Impact

    It was in force until then; it is gone now. What it allowed or granted in that time may have been used.

    ## Diagnosis

    ```sh
    bylaw journal list --reason UndeclaredRemoved --since 24h
    bylaw journal show SEQ
    ```

    The API server's audit log knows the user, and what was done with the right meanwhile.

    ## Mitigation

    If it was an intrusion, look at what its subjects did. If it is needed, declare it by pull request; the manifest is:

    ```sh
    bylaw journal restore SEQ --print
    ```

    If it belongs to a tool that Bylaw is to leave alone, exclude it under `scopes: exclude:` in bylaw.yaml with a commit that carries `Bylaw-Approved: configuration-loosened by NAME`.

    ## Undo

    Once it is excluded, or the scope no longer enforced, bring it back as it was, with your own rights. Before that it is refused, since it would be removed again:

    ```sh
    bylaw journal restore SEQ
    ```

    """#,
    #"""
    ---
    reason: WildcardGranted
    severity: warning
    ---

    # A subject gains a right with a wildcard, which covers future kinds too

    ## Meaning

    `*` for resources is every kind of the group with all its subresources, `pods/exec` included. `*` for groups is every kind of every extension, those that are installed next year as well. `*` for verbs contains `escalate`, `bind`, `impersonate` and `approve`, beside the usual ones. The right grows without anybody reviewing it again.

    ## Impact

    The finding is as grave as the worst right that the wildcard contains today. `get` on `*` in the core group is reading all Secrets. With `nonResourceURLs: ["*"]` it is every path of the API server, metrics and logs among them.

    ## Diagnosis

    See in review what is contained, and ask for what you fear:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/NAME -n NAMESPACE -f PATH
    bylaw who-can get secrets -n NAMESPACE -f PATH
    ```

    See which kinds it covers in the cluster now:

    ```sh
    kubectl api-resources --verbs list --api-group GROUP
    kubectl auth can-i --list -n NAMESPACE --as system:serviceaccount:NAMESPACE:NAME
    ```

    ## Mitigation

    - Write out verbs, groups and resources. `get`, `list`, `watch` is the whole of reading.
    - For an operator's own group, `*` for resources is bearable; for the core group it is not.
    - For reading widely bind `view`, which leaves out Secrets.
    - The API server's audit log shows which requests the subject really made; write the role from those.

    `resources: ["pods/*"]` is no wildcard: it matches nothing real.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    ```

    Go by the worst that the wildcard contained: if it was Secrets, rotate them by the runbook SecretAccessGranted; if it was pods or their subresources, look at what was started.

    ```sh
    bylaw runbook show SecretAccessGranted
    ```

    """#,
    #"""
    ---
    reason: WorkloadCreationGranted
    severity: critical
    ---

    # A subject gains the right to run pods

    ## Meaning

    The subject may create or change pods, or something that makes them: deployments, jobs, cron jobs, pod templates and the like. Whoever writes a pod chooses its service account, mounts any Secret, ConfigMap or volume claim of the namespace, and reads them from inside. So it is the token of every service account of the namespace, and all its Secrets, without any right to these.

    ## Impact

    It is critical for the whole cluster, and in a namespace where an account with strong rights lives, `kube-system` for one. Where Pod Security does not enforce `baseline` or `restricted`, it is also root on the node. An update of one named deployment is enough: the template may be changed to anything.

    ## Diagnosis

    See in review what is given, and whom the subject can become:

    ```sh
    bylaw diff main HEAD
    bylaw can ServiceAccount:NAMESPACE/NAME -n NAMESPACE -f PATH
    ```

    See which accounts are in reach, and what a pod may be there:

    ```sh
    bylaw who-can create pods -n NAMESPACE
    kubectl get serviceaccounts -n NAMESPACE
    kubectl get namespace NAMESPACE --show-labels
    ```

    ## Mitigation

    - Use a Role in one namespace, and keep operators and accounts with strong rights out of that namespace.
    - Give the namespace's accounts only what every author of a pod there may have.
    - Enforce Pod Security `restricted` on the namespace, so that it ends at the pod.
    - To scale, `patch` on `deployments/scale` is enough. To restart is to write the template, so it is this right.

    `automountServiceAccountToken: false` is no protection here: the pod's author may ask for the token.

    ## Undo

    ```sh
    git revert COMMIT
    git push
    kubectl get pods -n NAMESPACE --sort-by .metadata.creationTimestamp
    ```

    Pods and workloads that were started keep running, and cron jobs start new ones. Delete those that nobody knows; a pod's token ends with it. Rotate the Secrets that were mounted or could be.

    """#,
]
