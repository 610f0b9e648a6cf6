internal import ControlPlane

/// Scripts before and after a snapshot, which on Amazon's cloud an agent in the instance runs. Here the instance's host has an agent
/// (`varve instance quiesce`), and what it runs its owner told it: the names of scripts are kept and shown, and what they ask for
/// is that the host comes to rest.
extension DLMPlan {
    private static let stages: Set = ["PRE", "POST"]
    private static let timeouts = 10...120
    private static let retries = 0...3
    private static let handlerMax = 200

    /// How hosts come to rest; nil without scripts.
    static func quiesce(_ rule: DLMPolicyDetails.CreateRule?) throws(DLMFailure) -> Quiesce? {
        guard let scripts = rule?.scripts, !scripts.isEmpty else { return nil }
        guard scripts.count == 1 else { throw .invalid("Scripts must have one script at most.") }
        guard let handler = scripts[0].executionHandler, (1...handlerMax).contains(handler.utf8.count) else {
            throw .invalid(
                "A script's ExecutionHandler must have 1 to \(handlerMax) characters.", required: ["ExecutionHandler"])
        }
        if let given = scripts[0].stages {
            guard !given.isEmpty, given.count == Set(given).count, stages.isSuperset(of: given) else {
                throw .invalid("A script's Stages must be one or both of PRE, POST.")
            }
        }
        guard ["AWS_SYSTEMS_MANAGER", nil].contains(scripts[0].executionHandlerService) else {
            throw .invalid("A script's ExecutionHandlerService must be AWS_SYSTEMS_MANAGER.")
        }
        guard timeouts.contains(scripts[0].executionTimeout ?? timeouts.lowerBound) else {
            throw .invalid("A script's ExecutionTimeout must be 10 to 120.")
        }
        guard retries.contains(scripts[0].maximumRetryCount ?? 0) else {
            throw .invalid("A script's MaximumRetryCount must be 0 to 3.")
        }
        var quiesce = Quiesce()
        quiesce.atLeast = scripts[0].executeOperationOnScriptFailure ?? true ? .crash : .application
        quiesce.seconds = scripts[0].executionTimeout ?? timeouts.lowerBound
        quiesce.tries = 1 + (scripts[0].maximumRetryCount ?? 0)
        return quiesce
    }

    /// What of a schedule's script the plan has no place for.
    static func keepsakes(_ rule: DLMPolicyDetails.CreateRule?, ofSchedule name: String) -> [String: String] {
        guard let script = rule?.scripts?.first else { return [:] }
        var kept: [String: String] = [:]
        kept["dlm.ExecutionHandler.\(name)"] = script.executionHandler
        kept["dlm.ExecutionHandlerService.\(name)"] = script.executionHandlerService
        kept["dlm.Stages.\(name)"] = script.stages?.joined(separator: ",")
        return kept
    }

    /// The script of a schedule in Amazon's words; nil: its hosts do not come to rest.
    static func scripts(
        _ schedule: PolicyPlan.Schedule, _ keepsakes: [String: String]?
    ) -> [DLMPolicyDetails.Script]? {
        guard let quiesce = schedule.quiesce else { return nil }
        let kept = { (word: String) in keepsakes?["dlm.\(word).\(schedule.name)"] }
        return [
            .init(
                stages: kept("Stages")?.split(separator: ",").map(String.init),
                executionHandlerService: kept("ExecutionHandlerService"),
                executionHandler: kept("ExecutionHandler") ?? "varve-instance-quiesce",
                executeOperationOnScriptFailure: quiesce.atLeast == .crash,
                executionTimeout: quiesce.seconds, maximumRetryCount: quiesce.tries - 1)
        ]
    }
}
