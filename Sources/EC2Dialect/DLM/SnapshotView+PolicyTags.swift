internal import Blocks
internal import ControlPlane

extension SnapshotView {
    /// Its tags, and those by which Amazon shows that a policy took it.
    var allTags: [String: String]? { policy?.added(to: tags) ?? tags }
}

extension ImageView {
    /// Its tags, and those by which Amazon shows that a policy made it.
    var allTags: [String: String]? { policy?.added(to: tags) ?? tags }
}

extension SnapshotPolicyView {
    fileprivate func added(to tags: [String: String]?) -> [String: String] {
        var all = tags ?? [:]
        all["aws:dlm:lifecycle-policy-id"] = policyId
        all["aws:dlm:lifecycle-schedule-name"] = schedules.first
        all["aws:dlm:managed"] = "true"
        all["aws:dlm:expirationTime"] = expiresAt.map { String($0.description.prefix(19)) + "Z" }
        if archivedAt != nil { all["aws:dlm:archived"] = "true" }
        return all
    }
}
