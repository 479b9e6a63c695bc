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

    ```sh
    bylaw journal list --incidents --since 24h
    bylaw journal show SEQ
    ```

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

    The API server answered 403: Bylaw's user may not do what the repository asks for. A role or binding whose rights Bylaw does not hold needs the verbs `escalate` and `bind`.

    ## Impact

    That object is not as declared until the right is given. It is looked at again every ten minutes and with each new revision.

    ## Diagnosis

    ```sh
    bylaw journal list --incidents --since 24h
    bylaw journal show SEQ
    ```

    ```sh
    kubectl auth can-i --list --as USER
    ```

    ## Mitigation

    Compare Bylaw's rights with `Deploy/rbac.yaml` and give what is missing, or take the object out of the repository.

    ```sh
    kubectl apply -f Deploy/rbac.yaml
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
    reason: ClusterRewound
    severity: critical
    ---

    # The cluster's history went back, as after a restore of its database

    ## Meaning

    A list came with an older version than what was seen before. The cluster's database was restored from a backup, or the address now leads to another cluster.

    ## Impact

    Objects may be back that were deleted, and others gone. Everything is compared with the enforced revision anew and corrected.

    ## Diagnosis

    ```sh
    bylaw journal list --since 1h
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

    Help the API server, renew the credentials, or give back the rights of `Deploy/rbac.yaml`. Bylaw goes on by itself and then compares everything anew.

    ## Undo

    Nothing to undo.

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
    bylaw journal list --reason DriftCorrected --since 1h
    bylaw journal show SEQ
    kubectl get KIND NAME --namespace NAMESPACE -o yaml
    ```

    ## Mitigation

    Decide who owns the object. Either stop the other writer, or declare what it wants. Do not just remove the object from the policy repository: Bylaw then deletes it from the cluster.

    ## Undo

    Bring the manifest back with `git revert` if it turns out that Bylaw should own the object after all.

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
    reason: NamespaceDeletionHeld
    severity: warning
    ---

    # A Namespace left the repository; deleting it is held back

    ## Meaning

    A Namespace that Bylaw owns is no longer declared. Deleting it would delete every workload and volume claim in it, declared or not, so Bylaw does not do it.

    ## Impact

    The Namespace and what runs in it stay. Its roles, bindings and policies that left the repository with it are removed.

    ## Diagnosis

    See what lives in it:

    ```sh
    kubectl get all,pvc,secrets --namespace NAMESPACE
    ```

    ## Mitigation

    If it shall go, delete it by hand after you have looked:

    ```sh
    kubectl delete namespace NAMESPACE
    ```

    ## Undo

    If it shall stay, declare it again with `git revert`.

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
    bylaw journal list --namespace NAMESPACE --since 1h
    ```

    ## Mitigation

    If it hangs, the conditions of the namespace name the resource or finalizer. Remove the finalizer at its owner; never write to `/finalize`.

    ## Undo

    A deletion of a namespace cannot be taken back. Restore workloads from their own sources.

    """#,
    #"""
    ---
    reason: OwnAccessHeld
    severity: warning
    ---

    # A change would take away Bylaw's own rights; it is held

    ## Meaning

    The newest revision deletes or replaces the binding, role or service account that gives Bylaw its rights in the cluster, or takes Bylaw off the binding's subjects. Once that is gone Bylaw may not make it again, and may not make anything else.

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
    reason: PruneUnproven
    severity: info
    ---

    # An object carries our marker and is not declared, but nothing proves that we made it

    ## Meaning

    Bylaw deletes what left the repository only where its journal knows the object, or, where the journal was lost, an earlier revision declared it, and only what no other object owns and what is not part of Kubernetes itself (`system:` RBAC and the roles that the API server makes at its start). This one carries the marker and has no such proof, so it is left alone.

    ## Impact

    An object that nobody declares stays in force.

    ## Diagnosis

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
    reason: RevisionEmpty
    severity: critical
    ---

    # The newest revision declares nothing; nothing is deleted

    ## Meaning

    The followed folder of the newest commit holds no manifest at all. That is more often a mistake (a moved folder, a wrong branch) than a wish to remove every policy, so Bylaw keeps the revision before it.

    ## Impact

    Nothing changes in the cluster. New commits are not applied while they declare nothing.

    ## Diagnosis

    ```sh
    bylaw journal list --reason RevisionEmpty --since 24h
    bylaw journal show SEQ
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
]
