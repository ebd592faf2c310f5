const Robot = require("../robot.cjs");

Robot.prototype.walk = () => "left, right";
