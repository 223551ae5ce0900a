"""What the package offers, and the one list of it: `__init__.py` reads this file, and so do type checkers."""

from vr180_ofx.engine.frame import Frame as Frame
from vr180_ofx.engine.frame import ViewMatte as ViewMatte
from vr180_ofx.engine.plans import analyse as analyse
from vr180_ofx.engine.server import FrameServer as FrameServer
from vr180_ofx.errors import ClipChangedError as ClipChangedError
from vr180_ofx.errors import ColourError as ColourError
from vr180_ofx.errors import ComputationError as ComputationError
from vr180_ofx.errors import DeviceLostError as DeviceLostError
from vr180_ofx.errors import DocumentError as DocumentError
from vr180_ofx.errors import FrameError as FrameError
from vr180_ofx.errors import FrameIndexError as FrameIndexError
from vr180_ofx.errors import InputMatteError as InputMatteError
from vr180_ofx.errors import InstallError as InstallError
from vr180_ofx.errors import MediaError as MediaError
from vr180_ofx.errors import NoFileError as NoFileError
from vr180_ofx.errors import OutputError as OutputError
from vr180_ofx.errors import PlanError as PlanError
from vr180_ofx.errors import PortError as PortError
from vr180_ofx.errors import ResourceError as ResourceError
from vr180_ofx.errors import ServerBusyError as ServerBusyError
from vr180_ofx.errors import ServiceError as ServiceError
from vr180_ofx.errors import ServiceGoneError as ServiceGoneError
from vr180_ofx.errors import SettingsError as SettingsError
from vr180_ofx.errors import Vr180Error as Vr180Error
from vr180_ofx.errors import WeightsError as WeightsError
from vr180_ofx.media.contract import Clip as Clip
from vr180_ofx.media.open import open_clip as open_clip
from vr180_ofx.people.plan import Plan as Plan
from vr180_ofx.rendering.render import render as render
from vr180_ofx.rendering.report import RenderReport as RenderReport
from vr180_ofx.settings import Settings as Settings
from vr180_ofx.version import __version__ as __version__

__all__: list[str]
