package main

const helpText = "x"
