/// A refusal in Amazon's words: `<Code>` and `<Message>` are what clients match on.
struct EC2Failure: Error, Equatable, Sendable {
    var code: String
    var message: String
    /// The HTTP status; 400 unless Amazon says otherwise.
    var status = 400
    /// For the log alone.
    var logged: String?

    init(_ code: String, _ message: String, status: Int = 400, logged: String? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.logged = logged
    }

    static func invalidParameter(_ message: String) -> EC2Failure { EC2Failure("InvalidParameter", message) }
    static func invalidValue(_ message: String) -> EC2Failure { EC2Failure("InvalidParameterValue", message) }
    static func combination(_ message: String) -> EC2Failure { EC2Failure("InvalidParameterCombination", message) }

    /// `name` as Amazon's messages write it: lower-case first.
    static func missing(_ name: String) -> EC2Failure {
        EC2Failure("MissingParameter", "The request must contain the parameter \(name)")
    }

    static let dryRun = EC2Failure(
        "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status: 412)
    static let unauthorized = EC2Failure(
        "UnauthorizedOperation", "You are not authorized to perform this operation.", status: 403)
    /// Unknown key and wrong signature alike.
    static let authFailure = EC2Failure(
        "AuthFailure", "AWS was not able to validate the provided access credentials", status: 401)

    static func unexpected(_ cause: String) -> EC2Failure {
        EC2Failure("InternalError", "An internal error has occurred", status: 500, logged: cause)
    }
}
