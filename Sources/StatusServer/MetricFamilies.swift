import Telemetry

/// What is told, in the order in which it is written.
enum Families {
    static let build = MetricFamily("bylaw_build", .info, "The version that runs", labels: ["version"])
    static let leader = MetricFamily(
        "bylaw_leader", .gauge, "1 while this process may change the cluster, 0 while it stands by",
        labels: ["bylaw_instance"])

    static let configurationTaken = MetricFamily(
        "bylaw_config_last_reload_successful", .gauge,
        "1 while what the file of --config holds is in force as far as that goes without another start, 0 while it is refused"
    )
    static let configurationTakenAt = MetricFamily(
        "bylaw_config_last_reload_success_timestamp_seconds", .gauge,
        "When the configuration was taken last, at the start or since, in seconds since 1970")

    // MARK: Drift and changes

    static let driftFound = MetricFamily(
        "bylaw_drift_found", .counter,
        "Objects that were seen not to be as declared with no new revision behind it: changed, deleted, or put where nothing undeclared may be",
        labels: ["kind", "reason"])
    static let driftCorrected = MetricFamily(
        "bylaw_drift_corrected", .counter, "Drift that was undone by Bylaw", labels: ["kind", "reason"])
    static let driftCorrection = MetricFamily(
        "bylaw_drift_correction_seconds", .histogram,
        "From when a drift was seen until Bylaw had undone it and that was recorded", labels: ["kind"],
        bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60])
    static let driftOpen = MetricFamily(
        "bylaw_drift_open_seconds", .histogram,
        "From when a drift was seen to its end, whoever ended it",
        bounds: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400])
    static let oldestDrift = MetricFamily(
        "bylaw_drift_oldest_timestamp_seconds", .gauge,
        "When the drift was seen that is open longest, in seconds since 1970; 0 while none is")
    static let objects = MetricFamily(
        "bylaw_objects", .gauge, "Objects that are declared, or held or failing without being so, by state",
        labels: ["kind", "state"])
    static let undeclared = MetricFamily(
        "bylaw_undeclared_objects", .gauge, "Objects that nobody declares, in scopes where that is told")
    static let changes = MetricFamily(
        "bylaw_changes", .counter,
        "Changes to objects of the cluster, made or tried; the reason is that of their entry",
        labels: ["kind", "reason", "outcome"])
    static let heldActions = MetricFamily(
        "bylaw_held_actions", .gauge, "Actions that guardrails hold back until a person approves them")
    static let incidents = MetricFamily(
        "bylaw_incidents", .counter,
        "Incidents that were recorded, each failed attempt among them; the reason is the name of their runbook",
        labels: ["reason"])
    static let openIncidents = MetricFamily(
        "bylaw_open_incidents", .gauge, "Incidents that are open; the reason is the name of their runbook",
        labels: ["reason"])

    // MARK: Revisions

    static let syncs = MetricFamily(
        "bylaw_syncs", .counter, "Passes over everything, by how they ended", labels: ["outcome"])
    static let syncDuration = MetricFamily(
        "bylaw_sync_duration_seconds", .histogram, "How long a pass over everything took",
        bounds: [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300])
    static let lastSync = MetricFamily(
        "bylaw_last_successful_sync_timestamp_seconds", .gauge,
        "When a pass ended last with everything as declared, in seconds since 1970; 0 before the first")
    static let fetches = MetricFamily(
        "bylaw_fetches", .counter, "Looks at the policy repository, by how they ended", labels: ["outcome"])
    static let fetchDuration = MetricFamily(
        "bylaw_fetch_duration_seconds", .histogram, "How long a look at the policy repository took",
        bounds: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120])
    static let lastFetch = MetricFamily(
        "bylaw_last_successful_fetch_timestamp_seconds", .gauge,
        "When the policy repository answered last, in seconds since 1970; 0 before the first time")
    static let enforcedRevision = MetricFamily(
        "bylaw_enforced_revision_timestamp_seconds", .gauge,
        "When the enforced revision was committed, in seconds since 1970; 0 while none is enforced")
    static let newestRevision = MetricFamily(
        "bylaw_newest_revision_timestamp_seconds", .gauge,
        "When the newest revision that was seen was committed, in seconds since 1970; 0 before the first")
    static let revisionRefused = MetricFamily(
        "bylaw_revision_refused", .gauge, "1 while the newest revision is refused and an earlier one stays enforced")

    // MARK: The journal

    static let journalUsable = MetricFamily(
        "bylaw_journal_usable", .gauge, "1 while entries can be recorded; at 0 nothing is changed in the cluster")
    static let journalOutages = MetricFamily(
        "bylaw_journal_outages", .counter, "Times at which the journal could no longer be used, or for another reason",
        labels: ["reason"])
    static let unrecordedDrift = MetricFamily(
        "bylaw_unrecorded_drift_objects", .gauge,
        "Objects that are not as declared and are left so because the journal cannot be used", labels: ["kind"])
    static let journalWrites = MetricFamily(
        "bylaw_journal_writes", .counter, "Writes to the journal, by how they ended", labels: ["outcome"])
    static let journalWriteDuration = MetricFamily(
        "bylaw_journal_write_duration_seconds", .histogram,
        "How long a write to the journal took until it had reached the disk",
        bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5])
    static let journalSequence = MetricFamily(
        "bylaw_journal_sequence", .gauge, "The number of the newest entry of the journal")
    static let signedSequence = MetricFamily(
        "bylaw_journal_signed_sequence", .gauge, "The number of the newest entry that a signed checkpoint covers")
    static let lastCheckpoint = MetricFamily(
        "bylaw_journal_last_checkpoint_timestamp_seconds", .gauge,
        "When the journal was signed last, in seconds since 1970; 0 before the first time")
    static let shippedSequence = MetricFamily(
        "bylaw_journal_shipped_sequence", .gauge,
        "The number of the newest entry that a receiver has taken, where the journal is sent on", labels: ["receiver"])
    static let lastShipment = MetricFamily(
        "bylaw_journal_last_shipment_timestamp_seconds", .gauge,
        "When a receiver took entries last, or the program began to send, in seconds since 1970", labels: ["receiver"])

    // MARK: Traces

    static let traceSpans = MetricFamily(
        "bylaw_trace_spans", .counter,
        "Spans of traces, by what became of them: dropped are those that there was no room or time for",
        labels: ["outcome"])
    static let traceExports = MetricFamily(
        "bylaw_trace_exports", .counter, "Attempts to send spans, by how they ended", labels: ["outcome"])

    // MARK: The API server

    static let requests = MetricFamily(
        "bylaw_api_requests", .counter,
        "Requests to the API server; the code is error where no answer came, the resource other where it is not managed",
        labels: ["verb", "resource", "code"])
    static let requestDuration = MetricFamily(
        "bylaw_api_request_duration_seconds", .histogram,
        "How long a request to the API server took; a watch until it was open", labels: ["verb"],
        bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])
    static let watchRestarts = MetricFamily(
        "bylaw_watch_restarts", .counter,
        "Watches that had to be begun again; Ended is how each of them ends within ten minutes",
        labels: ["kind", "reason"])

    static let all =
        [
            build, leader, configurationTaken, configurationTakenAt, driftFound, driftCorrected, driftCorrection,
            driftOpen, oldestDrift, objects, undeclared,
            changes, heldActions, incidents, openIncidents, syncs, syncDuration, lastSync, fetches, fetchDuration,
            lastFetch, enforcedRevision, newestRevision, revisionRefused, journalUsable, journalOutages,
            unrecordedDrift, journalWrites, journalWriteDuration, journalSequence, signedSequence, lastCheckpoint,
            shippedSequence, lastShipment, traceSpans, traceExports, requests, requestDuration, watchRestarts,
        ] + ProcessFamilies.all
}
