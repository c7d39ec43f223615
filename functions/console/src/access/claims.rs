//! Who asks, where the API's JWT authorizer has verified a token: its claims say so.

use lambda_http::request::RequestContext;

use super::{Role, Who};

/// Which claims are read.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) name: String,
    pub(crate) role: String,
}

impl Claims {
    /// Who the claims name; nothing where there are none, or no role that is known. Only API Gateway writes a request's
    /// context, and only after it has verified the token.
    pub(crate) fn who(&self, context: &RequestContext) -> Option<Who> {
        let RequestContext::ApiGatewayV2(context) = context else { return None };
        let claims = &context.authorizer.as_ref()?.jwt.as_ref()?.claims;
        let name = claims.get(&self.name).filter(|name| !name.is_empty())?;
        let role = roles(claims.get(&self.role)?).max()?;
        Some(Who { name: name.clone(), role, session: String::new() })
    }
}

/// The roles in a claim: one, or several as API Gateway writes a list: `[operator viewer]`.
fn roles(claim: &str) -> impl Iterator<Item = Role> {
    claim.split(['[', ']', ' ', ',']).filter_map(Role::from_name)
}

#[cfg(test)]
mod tests {
    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
    use serde_json::json;

    use super::*;

    fn context(claims: &serde_json::Value) -> RequestContext {
        let context = json!({
            "http": { "method": "GET" }, "timeEpoch": 0, "authorizer": { "jwt": { "claims": claims, "scopes": null } },
        });
        RequestContext::ApiGatewayV2(serde_json::from_value::<ApiGatewayV2httpRequestContext>(context).unwrap())
    }

    #[test]
    fn claims_name_a_user_and_the_highest_role() {
        let claims = Claims { name: "email".into(), role: "cognito:groups".into() };
        let who = |role: &str| claims.who(&context(&json!({ "email": "ada@acme.example", "cognito:groups": role })));
        assert_eq!(who("viewer").map(|who| who.role), Some(Role::Viewer));
        assert_eq!(who("[viewer operator]").map(|who| who.role), Some(Role::Operator));
        assert_eq!(who("operators"), None);
        assert_eq!(claims.who(&context(&json!({ "cognito:groups": "operator" }))), None);
        assert_eq!(claims.who(&context(&json!({ "email": "", "cognito:groups": "operator" }))), None);
    }
}
