//! What a step of the model is called at the store's door.

use super::flight::Turn;
use super::request::Step;
use super::revoker::Task;
use super::standing::{At, Standing};
use super::state::{Generation, Leg};
use crate::renewal::tests::script::{Asked, broken, invalid_grant, rotated};
use http::StatusCode;

fn of_standing(standing: Standing) -> &'static str {
    match standing.at {
        At::Look => "look",
        At::Presented => "presented",
        At::Renewal(_) => "renewal",
        At::Reuse => "end",
    }
}

pub(super) fn of_request(step: Step) -> Option<&'static str> {
    Some(match step {
        Step::Stand(standing) => of_standing(standing),
        Step::Waits { .. } => return None,
        Step::Answer { .. } => "answer",
        Step::AnswerFollow(_) | Step::LeaveFollow { .. } | Step::LandedFollow { .. } => "renewal",
        Step::Leave { .. } | Step::Landed { .. } => "look",
        Step::LeaveReuse { .. } | Step::LeaveEnd { .. } => "end",
    })
}

pub(super) fn of_flight(leg: Leg) -> Option<&'static str> {
    Some(match leg {
        Leg::First(standing) | Leg::Second(standing) => of_standing(standing),
        Leg::Claim => "claim",
        Leg::Asking { .. } => return None,
        Leg::Keep { .. } => "keep_renewal",
        Leg::LateLook => "look",
        Leg::Refused { .. } => "refused",
        Leg::EndFinal => "end",
        Leg::Release(_) => "release",
    })
}

pub(super) fn of_revoker(task: Task) -> Option<&'static str> {
    Some(match task {
        Task::Claim(_) => "claim",
        Task::Look { .. } => "look",
        Task::Follow { .. } => "renewal",
        Task::Release(_) => "release",
        Task::Waits(_) | Task::Revoke(_) | Task::Done => return None,
    })
}

impl Leg {
    /// Whether the right is kept up meanwhile.
    pub(super) fn is_kept_up(self) -> bool {
        !matches!(self, Self::First(_) | Self::Claim | Self::Release(_))
    }
}

impl Turn {
    /// What the scripted provider answers.
    pub(super) fn reply(
        self,
        good: bool,
        from: Generation,
        asked: &Asked,
    ) -> (StatusCode, serde_json::Value) {
        match self {
            Self::Answers if good => rotated(&Asked {
                number: usize::from(from) + 1,
                ..asked.clone()
            }),
            Self::Answers => invalid_grant(asked),
            Self::Lost | Self::Fails => broken(asked),
        }
    }
}
