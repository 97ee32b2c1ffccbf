import Reproductions
import Testing
