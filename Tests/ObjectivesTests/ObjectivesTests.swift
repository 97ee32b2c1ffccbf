import Objectives
import Testing
