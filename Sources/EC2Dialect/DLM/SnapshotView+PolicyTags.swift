internal import Blocks
internal import ControlPlane

extension SnapshotView {
    /// Its tags, and those by which Amazon shows that a policy took it.
    var allTags: [String: String]? {
        guard let policy else { return tags }
        var all = tags ?? [:]
        all["aws:dlm:lifecycle-policy-id"] = policy.policyId
        all["aws:dlm:lifecycle-schedule-name"] = policy.schedules.first
        all["aws:dlm:managed"] = "true"
        all["aws:dlm:expirationTime"] = policy.expiresAt.map { String($0.description.prefix(19)) + "Z" }
        return all
    }
}
