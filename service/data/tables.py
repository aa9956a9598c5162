"""Which tables are there? Importing this defines all of them."""

from service.data.disposal import Disposal
from service.data.idempotency import IdempotencyRecord
from service.media.models import Media
from service.plans.models import PlanPeriod
from service.projects.models import Project
from service.scenes.models import Scene
from service.security.audit import AuditEvent
from service.users.models import RefreshToken, User
from service.videos.models import Share, Video

ALL = (User, RefreshToken, PlanPeriod, Project, Media, Scene, Video, Share, Disposal, IdempotencyRecord, AuditEvent)
