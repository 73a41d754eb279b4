module promoter.dev/testbed/pause

go 1.24
