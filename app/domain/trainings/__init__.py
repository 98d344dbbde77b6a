"""Trainings of informants (信息监督员): who attended, who passed, and the certificates that were issued."""

from app.domain.trainings.model import Attendee, Certificate, Training, TrainingEntry
from app.domain.trainings.service import TrainingDesk

__all__ = ["Attendee", "Certificate", "Training", "TrainingDesk", "TrainingEntry"]
