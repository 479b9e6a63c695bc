/// Why an entry is an incident: something that a person may have to act on.
///
/// Each has exactly one runbook, `Runbooks/<raw value>.md`; a test ties the two together. A raw value never changes its
/// meaning: alerts, saved searches and runbook links depend on it.
package enum IncidentReason: String, CaseIterable, Sendable {
    /// Somebody changed a declared object by hand, and it was put back.
    case driftCorrected = "DriftCorrected"
    /// A declared object differs from Git and could not be put back.
    case driftCorrectionFailed = "DriftCorrectionFailed"
    /// Another writer keeps changing the same object.
    case driftFight = "DriftFight"
    /// A change failed for a reason that may pass; it is tried again.
    case actionFailed = "ActionFailed"
    /// The API server or a policy of the cluster refused an object for good; it waits for a new revision.
    case actionRejected = "ActionRejected"
    /// Bylaw lacks the right to make a change.
    case actionForbidden = "ActionForbidden"
    /// Bylaw stopped, or lost the answer, between asking for a change and learning its outcome; it looked and settled it.
    case actionInterrupted = "ActionInterrupted"
    /// The newest revision has a mistake; the last good one stays enforced.
    case revisionInvalid = "RevisionInvalid"
    /// The newest revision declares nothing; nothing is deleted.
    case revisionEmpty = "RevisionEmpty"
    /// The policy repository could not be read.
    case fetchFailed = "FetchFailed"
    /// The followed branch no longer contains the revision that was enforced.
    case historyRewritten = "HistoryRewritten"
    /// Somebody holds the enforced revision for a while: newer ones wait.
    case holdActive = "HoldActive"
    /// What somebody set as an emergency hold is not honoured as it stands.
    case holdRefused = "HoldRefused"
    /// A Namespace left the repository; deleting it is held back.
    case namespaceDeletionHeld = "NamespaceDeletionHeld"
    /// A declared namespace is being deleted; what belongs in it waits.
    case namespaceTerminating = "NamespaceTerminating"
    /// A change means something that has to be approved; the object stays as it was.
    case approvalMissing = "ApprovalMissing"
    /// A revision deletes more than the budget allows; nothing of it is deleted.
    case deletionBudgetExceeded = "DeletionBudgetExceeded"
    /// `bylaw.yaml` protects less, or removes more, than before; what was in force stays so.
    case configurationHeld = "ConfigurationHeld"
    /// A change was applied that the repository wants to be told of.
    case riskReported = "RiskReported"
    /// A commit has no signature where one is asked for; the last trusted revision stays enforced, as in the five below.
    case commitUnsigned = "CommitUnsigned"
    /// A commit's signature does not fit it.
    case commitSignatureBad = "CommitSignatureBad"
    /// The key of a commit's signature is not valid at this time.
    case signingKeyExpired = "SigningKeyExpired"
    /// The key of a commit's signature was revoked.
    case signingKeyRevoked = "SigningKeyRevoked"
    /// Nothing vouches for the key of a commit's signature.
    case signingKeyUntrusted = "SigningKeyUntrusted"
    /// Whether a commit's signature is good cannot be told now.
    case signatureUncheckable = "SignatureUncheckable"
    /// A revision would take away what Bylaw needs to do its work; the last good one stays enforced.
    case selfLockoutRefused = "SelfLockoutRefused"
    /// A change to an object that is never written is held back.
    case protectedObjectHeld = "ProtectedObjectHeld"
    /// Nobody declares an object, in a scope where that is told.
    case undeclaredObject = "UndeclaredObject"
    /// Nobody declared an object, in a scope where that is removed; it was.
    case undeclaredRemoved = "UndeclaredRemoved"
    /// The API server cannot be made to refuse what is not declared, or somebody changed what makes it do so.
    case preventionFailed = "PreventionFailed"
    /// Somebody broke the glass: an object is left as they wrote it until a moment that they named.
    case breakGlassUsed = "BreakGlassUsed"
    /// An object is being deleted and finalizers hold it; it keeps its effect.
    case deletionBlocked = "DeletionBlocked"
    /// An object carries the marker of another instance, or a copied one.
    case ownershipConflict = "OwnershipConflict"
    /// An object carries our marker and is not declared, but nothing proves that we made it; it is left alone.
    case pruneUnproven = "PruneUnproven"
    /// A change would take away Bylaw's own rights; it is held back.
    case ownAccessHeld = "OwnAccessHeld"
    /// The cluster's API cannot be reached or read.
    case clusterUnreachable = "ClusterUnreachable"
    /// The cluster's history went back, as after a restore of its database.
    case clusterRewound = "ClusterRewound"
    /// A replica lost the lease that makes it the leader; it stopped writing, and another takes over.
    case leaseLost = "LeaseLost"
    /// Nothing of the journal has reached the receiver of logs for long; enforcement goes on.
    case shippingStalled = "ShippingStalled"
    /// For some time nothing could be written to the journal, so nothing was changed in the cluster either.
    case journalUnwritable = "JournalUnwritable"
    /// The journal's file was damaged, and nothing was changed in the cluster until another or a repaired one was there.
    case journalDamaged = "JournalDamaged"
    /// The journal was not what had been written and signed, and nothing was changed in the cluster meanwhile.
    case journalTampered = "JournalTampered"
    /// The key that signs the journal could not be used, and nothing was changed in the cluster meanwhile.
    case journalKeyUnusable = "JournalKeyUnusable"
}
