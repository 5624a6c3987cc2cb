// Package retrynats
package retrynats
