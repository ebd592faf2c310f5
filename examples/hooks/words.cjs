module.exports = ["as", "ever"];
